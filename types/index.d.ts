/**
 * Tiercel: a cache for Node.js back ends. Process memory is the first tier, Redis or Valkey the second.
 *
 * Durations are numbers of SECONDS (as in Redis `EX` and in Cache-Control) or strings with a unit:
 * `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. Sizes are numbers of bytes or strings: `'512kb'`, `'64mb'`, `'1gb'`.
 */
import type { EventEmitter } from 'node:events';
import type { RedisClient, RedisOptions } from './redis';

/** Seconds, or a string with a unit: `500ms`, `30s`, `5m`, `2h`, `1d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Bytes, or a string with a unit (powers of 1024): `100b`, `512kb`, `64mb`, `1gb`. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb' | 'B' | 'KB' | 'MB' | 'GB'}`;

// ---------------------------------------------------------------------------------------------------------- cache

/** Options of {@link createCache}. */
export interface CacheOptions {
  /**
   * The second tier: a URL (`redis://`, `rediss://`, `unix://`), options, an open client, or `false` for memory alone.
   * Unset: `REDIS_URL`, else `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD`, `REDIS_DB`, else memory alone.
   */
  redis?: string | RedisOptions | RedisClient | false;
  /** The first tier, or `false` to read from Redis every time. */
  memory?: MemoryOptions | false;
  /**
   * First part of every key in Redis. 1 to 200 characters, none of `* ? [ ] { } \` or white space, no part `k` between colons.
   * Default `'tiercel'`.
   */
  namespace?: string;
  /** Schema version of what you store, second part of every key: raise it and old entries are never read again. Default `1`. */
  version?: string | number;
  /** How long a value is fresh when a call does not say. Default `'5m'`. */
  ttl?: Duration;
  /** No entry lives longer, whatever a call asks for. Default `'1d'`. */
  maxTtl?: Duration;
  /** How values become bytes. Default `'json'`. Buffers and Uint8Arrays are always kept as they are. */
  codec?: 'json';
  /** A Redis command that takes longer counts as failed. Default `'1s'`. */
  commandTimeout?: Duration;
  /** Told about what the cache survives (Redis gone, corrupt entries). Default: nothing is printed. */
  logger?: Logger;
}

/** Where messages go; `console` fits. */
export interface Logger {
  warn(message: string, details?: unknown): void;
  error?(message: string, details?: unknown): void;
}

export interface MemoryOptions {
  /** Budget in bytes, keys and bookkeeping included. Default `'64mb'`. */
  maxBytes?: Size;
  /** A larger entry is served but not kept in memory. Default: the whole budget. */
  maxEntryBytes?: Size;
  /**
   * With a server that cannot announce changes (no RESP3 client tracking), how long an entry in memory is trusted.
   * Default `'1s'`.
   */
  maxStaleness?: Duration;
}

/** Options of one write. */
export interface SetOptions {
  /** How long the value is fresh. Default: the cache's `ttl`; never beyond its `maxTtl`. */
  ttl?: Duration;
}

/** Options of one {@link Cache.getOrSet}. */
export interface GetOrSetOptions<T = unknown> {
  /** How long the value is fresh: a duration, or a function of the loaded value. */
  ttl?: Duration | ((value: T) => Duration);
}

/** What a loader is given. */
export interface LoaderContext {
  /** The key that is being loaded, as the caller wrote it. */
  readonly key: string;
  /** Sets the time to live of this value. Overrides `ttl`. */
  setTtl(ttl: Duration): void;
  /** Return the value to the callers, but do not store it. */
  skip(): void;
}

/** Loads the value of a key. `null` is a value and is stored; `undefined` is returned and not stored. */
export type Loader<T> = (context: LoaderContext) => T | Promise<T>;

/** Options of the function form of {@link Cache.memoize}. */
export interface MemoizeOptions<A extends unknown[], T> {
  /** The key of a call, or a prefix to which a hash of the arguments is added. Default: the function's name. */
  key?: string | ((...args: A) => string);
  /** How long a result is fresh: a duration, or a function of the result. */
  ttl?: Duration | ((value: T) => Duration);
}

/** A function that {@link Cache.memoize} made. */
export type Memoized<A extends unknown[], T> = ((...args: A) => Promise<T>) & {
  /** The key under which the result for these arguments is stored. */
  keyFor(...args: A): string;
  /** Drops the stored result for these arguments. */
  invalidate(...args: A): Promise<boolean>;
};

export interface CacheStats {
  /** Reads answered from a tier. */
  hits: number;
  /** Reads that neither tier could answer. */
  misses: number;
  /** hits / (hits + misses); 0 before the first read. */
  hitRatio: number;
  sets: number;
  deletes: number;
  /** Loader calls, and those of them that threw. */
  loads: number;
  loadErrors: number;
  /** Callers that were given the result of somebody else's load. */
  coalesced: number;
  /** Redis commands of the cache that failed or timed out. */
  redisErrors: number;
  /** Bytes under our keys that were no entry of ours. */
  corrupt: number;
  /** Hits by tier. */
  memoryHits: number;
  redisHits: number;
  /** `null` when the cache has no memory tier. */
  memory: MemoryStats | null;
}

export interface MemoryStats {
  entries: number;
  /** Bytes in use, keys and bookkeeping included. */
  bytes: number;
  maxBytes: number;
  hits: number;
  misses: number;
  sets: number;
  deletes: number;
  /** Entries dropped for lack of room. */
  evictions: number;
  /** Entries dropped because their time was over. */
  expirations: number;
  /** Entries that were served but not kept, being larger than `maxEntryBytes`. */
  rejects: number;
}

export interface CacheHealth {
  /** `'ok'`, or `'degraded'` while Redis is configured and not usable: the cache answers from memory and loaders. */
  status: 'ok' | 'degraded' | 'closed';
  /** `'ok'`, `'unavailable'`, or `'none'` when no Redis is configured. */
  redis: 'ok' | 'unavailable' | 'none';
  /** Why Redis is unavailable, without secrets. */
  reason?: string;
  /** Milliseconds of the last PING that {@link Cache.health} sent. */
  latency?: number;
  memory: { entries: number; bytes: number; maxBytes: number } | null;
}

/** Names of events and what their listeners are given. */
export interface CacheEvents {
  'cache:hit': [{ key: string; tier: 'memory' | 'redis' }];
  'cache:miss': [{ key: string }];
  'cache:set': [{ key: string; ttl: number }];
  'cache:invalidate': [{ keys: string[] }];
  /** Something the cache survived: a failed command, a corrupt entry, a failed store. Never fatal. */
  'cache:error': [Error];
  'redis:connect': [];
  'redis:close': [{ reason: string }];
}

/** A cache with a memory tier, a Redis tier, or both. Made by {@link createCache}. */
export interface Cache extends EventEmitter<CacheEvents> {
  readonly namespace: string;
  /** The stored value, `undefined` when there is none. Never rejects because of Redis. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /**
   * Stores a value. Resolves true when every tier took it, false when Redis could not (it is then stored nowhere).
   * `undefined` is not stored: false.
   * @throws {TypeError} when the key, the value or an option is not valid.
   */
  set(key: string, value: unknown, options?: SetOptions | Duration): Promise<boolean>;
  /**
   * Removes a key. Resolves true when there was one.
   * @throws {CacheUnavailableError} when Redis did not acknowledge it.
   */
  delete(key: string): Promise<boolean>;
  /** Whether a value is stored. */
  has(key: string): Promise<boolean>;
  /** Seconds until the value expires; `undefined` when there is none. */
  ttl(key: string): Promise<number | undefined>;
  /** The stored values, in the order of the keys; `undefined` where there is none. One round trip. */
  getMany<T = unknown>(keys: readonly string[]): Promise<Array<T | undefined>>;
  /** Stores many values in one round trip. True when every tier took them all. */
  setMany(
    entries: Iterable<readonly [string, unknown]> | Record<string, unknown>,
    options?: SetOptions | Duration,
  ): Promise<boolean>;
  /**
   * The stored value, or what the loader returns, which is then stored. Callers that come while a load is under way
   * share it. With Redis unavailable the loader answers.
   * @throws whatever the loader throws, as it is.
   */
  getOrSet<T>(key: string, loader: Loader<T>, options?: GetOrSetOptions<T> | Duration): Promise<T>;
  /** The same as getOrSet, with the ttl as the third argument. */
  memoize<T>(key: string, compute: Loader<T>, ttl?: Duration): Promise<T>;
  /** A function that remembers its results by its arguments. */
  memoize<A extends unknown[], T>(
    fn: (...args: A) => T | Promise<T>,
    options?: MemoizeOptions<A, T>,
  ): Memoized<A, Awaited<T>>;
  /** Counters since the start or the last resetStats(). */
  stats(): CacheStats;
  resetStats(): void;
  /** Asks Redis, and says how the cache is. Never rejects. */
  health(): Promise<CacheHealth>;
  /** Ends the connection that the cache opened and frees its memory. Pending reads settle. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Makes a cache.
 * @throws {TypeError} naming the option that is not valid.
 */
export function createCache(options?: CacheOptions): Cache;

// ---------------------------------------------------------------------------------------------------------- Redis

export * from './redis';

// --------------------------------------------------------------------------------------------------------- errors

/** Base of the errors that Tiercel makes, but for TypeErrors about arguments. */
export class CacheError extends Error {
  readonly code: string;
}

/** Redis did not acknowledge a delete or an invalidation. `code` is `'CACHE_UNAVAILABLE'`. */
export class CacheUnavailableError extends CacheError {
  readonly code: 'CACHE_UNAVAILABLE';
}

/**
 * A command failed. `code` is the first word of the server's answer (`WRONGTYPE`, `NOAUTH`, `LOADING`, `READONLY`, `BUSY`,
 * `MASTERDOWN`, `OOM`, `NOSCRIPT`: it did not run; READONLY also makes the client connect anew), or one of the client's:
 * - `CONNECTION_LOST`, `COMMAND_TIMEOUT`: it may have run
 * - `QUEUE_FULL`: too much waits; the oldest is refused while there is no connection, the newest while the server is slow
 * - `CLIENT_CLOSED`, `UNAVAILABLE`, `TOO_LARGE`: not sent
 * - `CONNECT_FAILED`, `PROTOCOL_ERROR`: of an `error` event
 */
export class RedisError extends CacheError {
  readonly command?: string;
}

// ----------------------------------------------------------------------------------------------------------- keys

/** Builds a key of parts, separated by `:`. Parts that hold `:` or `%` are escaped, so different parts give different keys. */
export function cacheKey(...parts: Array<string | number | bigint | boolean>): string;

/** A short hash of any arguments: equal for equal ones, whatever the order of object keys; `1` and `'1'` differ. */
export function hashArgs(args: readonly unknown[]): string;

// ----------------------------------------------------------------------------------------------------------- HTTP

export { cacheResponse } from './express';
export type { CacheResponseOptions, CacheResponseMiddleware, RequestListener } from './express';
