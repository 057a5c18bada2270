/**
 * Tiercel: a cache for Node.js back ends. Process memory is the first tier, Redis or Valkey the second.
 *
 * Durations are numbers of SECONDS (as in Redis `EX` and in Cache-Control) or strings with a unit:
 * `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. Sizes are numbers of bytes or strings: `'512kb'`, `'64mb'`, `'1gb'`.
 */
import type { EventEmitter } from 'node:events';
import type { URL } from 'node:url';
import type { RedisClient, RedisOptions } from './redis';

/** Seconds, or a string with a unit: `500ms`, `30s`, `5m`, `2h`, `1d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Bytes, or a string with a unit (powers of 1024): `100b`, `512kb`, `64mb`, `1gb`. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb' | 'B' | 'KB' | 'MB' | 'GB'}`;

// ---------------------------------------------------------------------------------------------------------- cache

/** Options of {@link createCache}. */
export interface CacheOptions {
  /**
   * The second tier: a URL (`redis://`, `rediss://`, `valkey://`, `valkeys://`, `unix://`), options, an open client, or
   * `false` for memory alone.
   * Unset: `REDIS_URL`, else `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB`, else memory
   * alone. Options without an address take it from there, too.
   */
  redis?: string | URL | RedisOptions | RedisClient | false | undefined;
  /** The first tier, or `false` to read from Redis every time. */
  memory?: MemoryOptions | false | undefined;
  /**
   * First part of every key in Redis. 1 to 200 characters, none of `* ? [ ] { } \` or white space, no part `k` between colons.
   * Default `'tiercel'`.
   */
  namespace?: string | undefined;
  /** Schema version of what you store, second part of every key: raise it and old entries are never read again. Default `1`. */
  version?: string | number | undefined;
  /** How long a value is fresh when a call does not say. Default `'5m'`. */
  ttl?: Duration | undefined;
  /** No entry lives longer, stale windows included, whatever a call asks for. Default `'1d'`. */
  maxTtl?: Duration | undefined;
  /** Shortens every ttl by a random share of up to this, 0 to 1, so that not all end at once. Default `0`. */
  jitter?: number | undefined;
  /**
   * For so long after its ttl a value is still served, while one caller of all processes loads it anew. Default `0`.
   */
  staleWhileRevalidate?: Duration | undefined;
  /** For so long after its ttl a value is served when its loader fails. Default `0`. */
  staleIfError?: Duration | undefined;
  /** Loads a value anew, behind the callers, while it is still fresh. Default `false`. */
  refreshAhead?: RefreshAhead | undefined;
  /**
   * A loader that takes longer fails with a {@link CacheError} of code `LOAD_TIMEOUT`, and its signal is aborted.
   * Default: none.
   */
  timeout?: Duration | undefined;
  /** A caller who would wait longer is given the stale value, if there is one, while the load goes on. Default: none. */
  softTimeout?: Duration | undefined;
  /**
   * After a load that failed, its error is the answer for so long, in all processes, before the next attempt. All who
   * wait for a load when it fails get its error in any case; in other processes that is an Error with its name, message
   * and code. Default `0`: the next call loads again.
   */
  errorBackoff?: Duration | undefined;
  /**
   * How long the lease of a load lasts after its process has died or frozen; then another takes over. While the loader
   * runs its lease is renewed, three times in this time, however long that is. A process whose loop is blocked for
   * longer is overtaken: its callers get their value, the cache does not keep it. Default `'2s'`.
   */
  leaseTimeout?: Duration | undefined;
  /**
   * How values become bytes. Default `'json'`. `'msgpack'` keeps more types (Date, Map, Set, BigInt, Buffer, undefined …)
   * in fewer bytes; it needs the package `msgpackr`. Which is faster depends on the values: docs/codecs.md. With both, strings and bytes are stored as they are (a Uint8Array
   * comes back as a Buffer). What survives which: docs/codecs.md.
   */
  codec?: 'json' | 'msgpack' | Codec | undefined;
  /**
   * Whether each caller gets an object of its own (`'copy'`, the default), or all the same deep-frozen one (`'frozen'`:
   * the fastest; writing to it throws in strict mode): one for those who share a load, and one for all hits in memory.
   */
  share?: 'copy' | 'frozen' | undefined;
  /** A Redis command that takes longer counts as failed. Default `'400ms'`. */
  commandTimeout?: Duration | undefined;
  /**
   * Told about what the cache survives (Redis gone, corrupt entries). Default: nothing is printed, but for one process
   * warning (`TIERCEL_REDIS_UNREACHABLE`) when Redis could not be reached at first and nobody listens to `cache:error`.
   */
  logger?: Logger | undefined;
}

/** Values to bytes and back, for {@link CacheOptions.codec}. It is given every value, strings and bytes too. */
export interface Codec {
  /** For messages. */
  readonly name: string;
  /** A string is stored as UTF-8. What it throws reaches the writer, inside a TypeError. */
  encode(value: unknown): Uint8Array | string;
  /**
   * A value of its own for every call. Throwing, or returning undefined, makes the entry a miss: so it should, when the
   * bytes are none of its own.
   */
  decode(data: Buffer): unknown;
}

/** Where messages go; `console` fits. */
export interface Logger {
  /** Called with a message about what the cache survived; the same kind at most once in a while. */
  warn(message: string, details?: unknown): void;
  /** Not called; it may be there, so that any logger fits. */
  error?: Logger['warn'] | undefined;
}

/**
 * A cache without Redis has a memory of its own, with its namespaces, unless `shared` says otherwise. With Redis, caches
 * of one server, namespace and version share their memory in a process, in all its worker threads. Those that share must
 * ask for the same budget: createCache throws a TypeError otherwise.
 */
export interface MemoryOptions {
  /**
   * Budget in bytes for everything that is kept: entries with their keys and bookkeeping, tags, and (at most half of it, as
   * estimated) decoded values and HTTP responses, of all namespaces and mounts of the cache. Default `'64mb'`.
   */
  maxBytes?: Size | undefined;
  /**
   * A larger entry (its key and bookkeeping included) is served but not kept in memory. Default: a quarter of `maxBytes`,
   * at most `'4mb'`. With a higher limit, an entry for which there is no room is not kept at once when others would have
   * to leave for longer than a few milliseconds: room is made in the background, and a later `set` finds it.
   */
  maxEntryBytes?: Size | undefined;
  /** At most so many entries. Default: as many as there is room for. */
  maxEntries?: number | undefined;
  /**
   * With a server that cannot announce changes (no RESP3 client tracking), how long an entry in memory is trusted.
   * Default `'1s'`.
   */
  maxStaleness?: Duration | undefined;
  /**
   * Without Redis: `true` shares the memory with all caches of the same namespace and version in this process that ask
   * for it, in all its worker threads: entries, leases, tags. Default `false`. With Redis it is always shared, and
   * `false` is a TypeError.
   */
  shared?: boolean | undefined;
}

/**
 * When a value is loaded anew before its ttl is over, behind the callers, who get the present one: after a share of its
 * ttl (`0.8`), a duration before its end (`'10s'`: a string, since a number is a share), or `'xfetch'`: at random, and
 * the earlier the longer the load took. One load for all processes.
 */
export type RefreshAhead = number | Exclude<Duration, number> | 'xfetch' | false;

/** Options of one write. What is left out is as {@link CacheOptions} say. */
export interface SetOptions {
  /**
   * How long the value is fresh, in seconds or as a string with a unit. Default: the cache's `ttl`; never beyond its `maxTtl`,
   * and a number beyond it that looks like milliseconds is a TypeError.
   */
  ttl?: Duration | undefined;
  /** See {@link CacheOptions.jitter}. */
  jitter?: number | undefined;
  /** See {@link CacheOptions.staleWhileRevalidate}. */
  staleWhileRevalidate?: Duration | undefined;
  /** See {@link CacheOptions.staleIfError}. */
  staleIfError?: Duration | undefined;
  /** {@link Cache.invalidateTag} of one of them makes the value invalid. At most 128, of at most 1024 bytes each. */
  tags?: readonly string[] | undefined;
}

/** Options of one load: of {@link Cache.getOrSet}, getOrSetMany and memoize. */
export interface GetOrSetOptions<T = unknown> extends Omit<SetOptions, 'ttl' | 'tags'> {
  /**
   * How long the value is fresh: a duration, or a function of the loaded value. What the function gives as 0 or less is not
   * stored.
   */
  ttl?: Duration | ((value: T) => Duration) | undefined;
  /** Its tags: a list, or a function of the loaded value. */
  tags?: readonly string[] | ((value: T, context: LoaderContext<any>) => readonly string[]) | undefined;
  /** See {@link CacheOptions.refreshAhead}. */
  refreshAhead?: RefreshAhead | undefined;
  /** See {@link CacheOptions.timeout}. */
  timeout?: Duration | undefined;
  /** See {@link CacheOptions.softTimeout}. */
  softTimeout?: Duration | undefined;
  /** See {@link CacheOptions.errorBackoff}. */
  errorBackoff?: Duration | undefined;
  /** Whether the loaded value is stored. Default: it is, unless it is `undefined`. */
  cacheIf?: ((value: T) => boolean) | undefined;
  /**
   * Ends the wait of this caller: the call rejects with its reason, also when it is aborted already. The loader's own signal
   * is aborted when nobody is left who waits.
   */
  signal?: AbortSignal | undefined;
}

/** What a loader is given. */
export interface LoaderContext<T = unknown> {
  /** The key that is being loaded, as the caller wrote it. */
  readonly key: string;
  /**
   * Aborted when the load takes longer than its `timeout`, when nobody waits for it any more, and when it was overtaken
   * (the key was written, removed or invalidated meanwhile), so that its value would not be stored.
   */
  readonly signal: AbortSignal;
  /** The stale value that this load is to replace, a copy of its own; `undefined` when there is none. */
  readonly previous: T | undefined;
  /** Sets the time to live of this value; 0 or less: it is not stored. Overrides `ttl`. A TypeError when it is no duration. */
  setTtl(ttl: Duration): void;
  /** Sets tags of this value, which are added to those of the call. Throws a TypeError when they are none. */
  setTags(tags: readonly string[]): void;
  /** Return the value to the callers, but do not store it. */
  skip(): void;
}

/** Loads the value of a key. `null` is a value and is stored; `undefined` is returned and not stored. */
// `any`, because a type that stands in the context would be fixed before the one that the loader returns is seen.
export type Loader<T> = (context: LoaderContext<any>) => T | Promise<T>;

/** Loads the values of the keys that are missing. What it leaves out, or gives as `undefined`, is not stored. */
export type ManyLoader<T> = (
  keys: string[],
  context: {
    /** The keys that are missing, as in the first argument. */
    readonly keys: string[];
    /** As {@link LoaderContext.signal}. */
    readonly signal: AbortSignal;
  },
) => ManyLoaded<T> | Promise<ManyLoaded<T>>;

/** One value for each key in their order, a Map, or an object by key. */
export type ManyLoaded<T> = readonly T[] | ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** What {@link Cache.read} tells. Times in seconds. */
export type ReadResult<T> =
  | {
      /** There is none. */
      value: undefined;
      /** Nothing is stored that may be served. */
      status: 'miss';
    }
  | {
      /** The stored value. */
      value: T;
      /** `'stale'`: its ttl is over, and it is there for staleWhileRevalidate or staleIfError. */
      status: 'hit' | 'stale';
      /** The tier that had it. */
      tier: 'memory' | 'redis';
      /** Since it was stored. */
      age: number;
      /** Until it is stale; 0 when it is. */
      ttl: number;
      /** Its tags. */
      tags: string[];
    };

/** What {@link Cache.inspect} tells of one tier. Times in seconds. */
export interface InspectedEntry {
  /**
   * `'lease'`: somebody loads, and nothing is stored yet. `'failure'`: a load failed a moment ago. `'uncacheable'`: a load
   * has just ended without a value to store. `'foreign'`: what is stored under the key is none of this package; then only
   * `bytes` is known, and not of every type of Redis.
   */
  kind: 'value' | 'lease' | 'failure' | 'uncacheable' | 'foreign';
  /** How the value is encoded: `'bytes'` and `'text'` as they are, `'custom'` by a codec of your own. */
  codec?: 'bytes' | 'json' | 'text' | 'msgpack' | 'custom' | undefined;
  /** Size of the encoded value. */
  bytes?: number | undefined;
  /** When it was stored, by the clock of the process that stored it. */
  created?: Date | undefined;
  /** Since it was stored. */
  age?: number | undefined;
  /** Until it is stale; 0 when it is. */
  ttl?: number | undefined;
  /** Until it may no longer be served while it is revalidated. */
  staleFor?: number | undefined;
  /** Until Redis drops it; of Redis only. */
  goneIn?: number | undefined;
  /** What its loader took. */
  loadTime?: number | undefined;
  /** Its tags. */
  tags?: string[] | undefined;
  /** Somebody loads a newer value. */
  leased?: boolean | undefined;
  /** Invalidated with `soft`: only for staleIfError. */
  outdated?: boolean | undefined;
  /** Invalidated by a tag or `clear()`, and not yet given back: nobody is served it. */
  invalidated?: boolean | undefined;
  /** Of an HTTP response: status, header fields and the like; else `null`. */
  metadata?: unknown;
}

/** What {@link Cache.inspect} tells; `undefined` where a tier has nothing, or there is none. */
export interface Inspection {
  /**
   * What memory holds. Values that may be used alone, also without Redis: a lease, a failure, or what a tag made invalid
   * does not show, and `leased` and `invalidated` are always false.
   */
  memory: InspectedEntry | undefined;
  /** What Redis holds. */
  redis: InspectedEntry | undefined;
}

/** What {@link Cache.invalidateRelated} takes: a key, a pattern (with `*`, `?` or `[`), or a tag. */
export type Related =
  | string
  | {
      /** A tag. */
      tag: string;
    };

/** Options of the function form of {@link Cache.memoize}. */
export interface MemoizeOptions<A extends unknown[], T> extends GetOrSetOptions<T> {
  /**
   * The key of a call, or a prefix to which a hash of the arguments is added. Default: the function's name and a hash of its
   * text. A bound function, one without a name, and a second one of the same name and text need a key: a TypeError.
   */
  key?: string | ((...args: A) => string) | undefined;
}

/** What {@link Cache.memoize} adds to a function. */
export interface MemoizedMethods<A extends unknown[]> {
  /** The key under which the result for these arguments is stored. */
  keyFor(...args: A): string;
  /** Drops the stored result for these arguments. */
  invalidate(...args: A): Promise<boolean>;
}

/** A function that {@link Cache.memoize} made, by its parameters and what it gives. */
export type Memoized<A extends unknown[], T> = ((...args: A) => Promise<T>) & MemoizedMethods<A>;

/**
 * The same, by the function. One that returns a Promise keeps its signature, type parameters and overloads included. Other
 * properties of the function are not there, nor what its promise has beyond a Promise: such a function has the type
 * {@link Memoized}, without type parameters.
 */
export type MemoizedFunction<F extends (...args: any[]) => any> = [
  keyof F,
  ReturnType<F>,
  Promise<Awaited<ReturnType<F>>>,
] extends [never, Promise<any>, ReturnType<F>]
  ? F & MemoizedMethods<Parameters<F>>
  : Memoized<Parameters<F>, Awaited<ReturnType<F>>>;

/**
 * What {@link Cache.stats} gives: counters of this cache or namespace in this thread, and the state of memory. An HTTP
 * cache on it counts its look-ups and the entries that it stores here, and requests in its own stats().
 */
export interface CacheStats {
  /** Reads answered from a tier. */
  hits: number;
  /** Reads that neither tier could answer. */
  misses: number;
  /** hits / (hits + misses); 0 before the first read. */
  hitRatio: number;
  /** Values that were written, by `set` or a load, and entries of an HTTP cache: two for an answer with `Vary`. */
  sets: number;
  /** Keys that had a value, and were removed one by one: not by a tag, a pattern or `clear()`, which are invalidations. */
  deletes: number;
  /** Tags, patterns and namespaces that were invalidated: calls, not entries. */
  invalidations: number;
  /** Loader calls; of getOrSetMany the keys that were loaded. */
  loads: number;
  /** Loader calls that threw. */
  loadErrors: number;
  /** Callers that were given the result of somebody else's load in this thread. */
  coalesced: number;
  /** Values of a loader that were not stored: something had overtaken them, or Redis did not take them. */
  refused: number;
  /** Loads behind the callers: staleWhileRevalidate and refreshAhead. */
  refreshes: number;
  /** Stale values that were served. */
  staleHits: number;
  /** Redis commands of the cache that failed or timed out. */
  redisErrors: number;
  /** Bytes under our keys that were no entry of ours. */
  corrupt: number;
  /** Reads answered from memory. */
  memoryHits: number;
  /** Reads answered from Redis. */
  redisHits: number;
  /** Removals and invalidations that Redis has not acknowledged yet. */
  pendingInvalidations: number;
  /** `null` when the cache has no memory tier, or is closed without Redis. */
  memory: MemoryStats | null;
}

/** Of the memory of the cache: its namespaces and those it shares it with included. */
export interface MemoryStats {
  /** Entries that are kept now. One whose time is over may be among them for some seconds. */
  entries: number;
  /** Bytes that count against `maxBytes`: of entries, tags and decoded values, keys and bookkeeping included. */
  bytes: number;
  /** Of these: entries and their tables. */
  entryBytes: number;
  /** Tags and their names. */
  tagBytes: number;
  /** Values and HTTP responses that are kept decoded, as estimated: at most half of `maxBytes`. */
  valueBytes: number;
  /** The budget in bytes. */
  maxBytes: number;
  /** 0: no bound. */
  maxEntries: number;
  /** Look-ups that found an entry. */
  hits: number;
  /** Look-ups that found none. */
  misses: number;
  /** Entries that were written. */
  sets: number;
  /** Entries that were removed. */
  deletes: number;
  /** Entries dropped for lack of room. */
  evictions: number;
  /** Entries dropped because their time was over. */
  expirations: number;
  /** Entries that were served but not kept, being larger than `maxEntryBytes`. */
  rejects: number;
  /** Entries that were served but not kept, since all others seem to be worth more. */
  admissionRejects: number;
  /** Misses because a tag of the entry had changed, or the connection that it came through was lost. */
  invalid: number;
}

/** What {@link Cache.health} gives. */
export interface CacheHealth {
  /**
   * `'ok'`, or `'degraded'` while Redis is configured and not usable: reads miss, and loaders answer every call. What
   * memory holds is then good for staleIfError alone. So it is right after createCache(), too: for a readiness probe. A
   * liveness probe should pass when it is `'degraded'`.
   */
  status: 'ok' | 'degraded' | 'closed';
  /**
   * `'ok'`, `'unavailable'`, `'connecting'` while the first attempt to connect is under way, or `'none'` when no Redis is
   * configured.
   */
  redis: 'ok' | 'connecting' | 'unavailable' | 'none';
  /** Why Redis is unavailable, without secrets. */
  reason?: string | undefined;
  /** Milliseconds of the last PING that {@link Cache.health} sent. */
  latency?: number | undefined;
  /** Removals and invalidations that Redis has not acknowledged yet, and that are tried again. */
  pendingInvalidations: number;
  /** `null` when the cache has no memory tier, or is closed without Redis. */
  memory: {
    /** How many entries memory has. */
    entries: number;
    /** Bytes that count against `maxBytes`. */
    bytes: number;
    /** The budget in bytes. */
    maxBytes: number;
  } | null;
}

/** Names of events and what their listeners are given. */
export interface CacheEvents {
  /** A read was answered from a tier. */
  'cache:hit': [
    {
      /** The key, as the caller wrote it. */
      key: string;
      /** The tier that had it. */
      tier: 'memory' | 'redis';
    },
  ];
  /** A read found nothing. */
  'cache:miss': [
    {
      /** The key, as the caller wrote it. */
      key: string;
    },
  ];
  /** A value was stored, by `set` or a load. */
  'cache:set': [
    {
      /** The key, as the caller wrote it. */
      key: string;
      /** Its time to live in seconds. */
      ttl: number;
    },
  ];
  /**
   * A loaded value was not stored: the key was written, removed or invalidated during the load (`overtaken`), one of
   * its tags may have been (`tag`), or Redis did not take it (`unavailable`).
   */
  'cache:refused': [
    {
      /** The key, as the caller wrote it. */
      key: string;
      /** Why it was not stored. */
      reason: 'overtaken' | 'tag' | 'unavailable';
    },
  ];
  /** Something was removed or invalidated by this cache: keys, tags, a pattern, or everything. */
  'cache:invalidate': [
    | {
        /** Keys that were removed. */
        keys: string[];
      }
    | {
        /** Tags that were invalidated. */
        tags: string[];
      }
    | {
        /** The pattern whose keys were removed. */
        pattern: string;
        /** How many there were. */
        count: number;
      }
    | {
        /** clear() was called. */
        all: true;
      },
  ];
  /** Something the cache survived: a failed command, a corrupt entry, a failed store or refresh. Never fatal. */
  'cache:error': [Error];
  /** So many removals and invalidations wait until Redis can be told. */
  'cache:pending': [
    {
      /** How many. */
      count: number;
    },
  ];
  /** So many of them have been carried out. */
  'cache:replayed': [
    {
      /** How many. */
      count: number;
    },
  ];
  /** The connection is ready: for the first time, or again. */
  'redis:connect': [];
  /** The connection is lost. Reads miss and loaders answer until it is back. */
  'redis:close': [
    {
      /** Why, without secrets. */
      reason: string;
    },
  ];
}

/**
 * A cache with a memory tier, a Redis tier, or both. Made by {@link createCache}.
 *
 * Every method throws (or rejects with) a TypeError that names the argument which is not valid, and a
 * {@link CacheError} of code `CACHE_CLOSED` after close(). Keys are strings of 1 to 64,000 bytes.
 */
export interface Cache extends EventEmitter<CacheEvents> {
  /** Its namespace, with those above it: `shop.users`. */
  readonly name: string;

  /** The stored value, `undefined` when there is none that is fresh. Never rejects because of Redis. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** What memory has fresh, at once and without asking Redis; `undefined` when it has nothing. */
  peek<T = unknown>(key: string): T | undefined;
  /** The stored value, also a stale one, and what is known of it. Never rejects because of Redis. */
  read<T = unknown>(key: string): Promise<ReadResult<T>>;
  /**
   * What each tier holds under the key, whatever it is: for people and tools. Counts nothing, and changes nothing.
   * @throws {RedisError} when Redis does not answer.
   */
  inspect(key: string): Promise<Inspection>;
  /** Whether a fresh value is stored. */
  has(key: string): Promise<boolean>;
  /** Seconds until the value is stale; `undefined` when there is none. */
  ttl(key: string): Promise<number | undefined>;
  /** The stored values, in the order of the keys; `undefined` where there is none. One round trip. */
  getMany<T = unknown>(keys: readonly string[]): Promise<Array<T | undefined>>;

  /**
   * Stores a value. Resolves true when every tier took it, false when Redis could not: it is then stored nowhere, and
   * an older value is removed. `undefined` is not stored: false.
   * @throws {TypeError} when the key, the value or an option is not valid.
   */
  set(key: string, value: unknown, options?: SetOptions | Duration): Promise<boolean>;
  /** Stores many values in one round trip. True when every tier took them all. */
  setMany(
    entries: Iterable<readonly [string, unknown]> | Record<string, unknown>,
    options?: SetOptions | Duration,
  ): Promise<boolean>;

  /**
   * The stored value, or what the loader returns, which is then stored. One load at a time, in all threads and
   * processes: whoever comes meanwhile shares it. What is written, removed or invalidated during a load is not
   * overwritten by it. With Redis unavailable the loader answers.
   * @throws whatever the loader throws, as it is; see {@link CacheOptions.errorBackoff}.
   * @throws {CacheError} `LOAD_TIMEOUT` when the loader took longer than `timeout`.
   */
  getOrSet<T>(key: string, loader: Loader<T>, options?: GetOrSetOptions<NoInfer<T>> | Duration): Promise<T>;
  /**
   * The same for many keys: the loader is called once, with those that are missing. The values in the order of the
   * keys; `undefined` where the loader gave none.
   * @throws whatever the loader throws, and a TypeError when what it returns is no {@link ManyLoaded}.
   */
  getOrSetMany<T>(
    keys: readonly string[],
    loadMissing: ManyLoader<T>,
    options?: GetOrSetOptions<NoInfer<T>> | Duration,
  ): Promise<Array<T | undefined>>;
  /** The same as getOrSet. */
  memoize<T>(key: string, compute: Loader<T>, options?: GetOrSetOptions<NoInfer<T>> | Duration): Promise<T>;
  /**
   * A function that remembers its results by its arguments, `null` included. It keeps the name, the length and the
   * signature of the function, not its other properties. Without a `key` function, arguments are compared as they are
   * given: `f(1)`, `f(1, undefined)` and `f(1, 10)` are three results, also when 10 is the default of the parameter.
   */
  memoize<F extends (...args: any[]) => any>(
    fn: F,
    options?: MemoizeOptions<Parameters<F>, Awaited<ReturnType<F>>>,
  ): MemoizedFunction<F>;

  /**
   * Removes a key, and keeps loads that are under way from storing what they began before. Resolves true when there
   * was a value, be it stale; with Redis also when there was only the mark of a load.
   * @throws {CacheUnavailableError} when Redis did not acknowledge it. It is then tried again until it does, and this
   *   process reads the key as a miss until then.
   */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * Removes many keys in one round trip. Resolves to how many there were.
   * @throws {CacheUnavailableError} as delete.
   */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** The same as delete. */
  invalidateKey(key: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * Makes every value that carries the tag invalid, in all namespaces of this cache, in one step however many there are.
   * @throws {CacheUnavailableError} as delete.
   */
  invalidateTag(tag: string): Promise<void>;
  /** The same for several tags. */
  invalidateTags(tags: readonly string[]): Promise<void>;
  /**
   * Removes the keys that match a glob pattern of Redis: `user:*`, `page-[0-9]`, `a?c`, with `\` before what is meant
   * literally. Looks at every key of the server: for rare use. Resolves to how many there were.
   * @throws {CacheUnavailableError} as delete.
   */
  invalidatePattern(pattern: string): Promise<number>;
  /**
   * Keys, patterns and tags in one call.
   * @throws {CacheUnavailableError} as delete; all of them were tried then.
   */
  invalidateRelated(related: readonly Related[]): Promise<void>;
  /**
   * Makes everything in this cache and its namespaces invalid, in one step.
   * @throws {CacheUnavailableError} as delete.
   */
  clear(): Promise<void>;

  /**
   * A cache with keys of its own within this one, with the same options; the same object for the same name until it is
   * closed, and then another. It is closed with this one, and clear() of this one clears it.
   * @param name 1 to 64 letters, digits, `_` or `-`
   */
  namespace(name: string): Cache;

  /** What memory holds, as bytes for load(): to start warm after a deploy. With Redis the keys, else the entries. */
  dump(): Promise<Buffer>;
  /**
   * Takes what dump() returned into memory; with Redis it is read from there as it is now. What is there already stays.
   * Resolves to how many entries were added.
   * @throws {TypeError} when it is nothing that dump() of this version returned, or is cut off.
   */
  load(snapshot: Uint8Array): Promise<number>;

  /** The memory tier. */
  readonly memory: {
    /** `null` when the cache has no memory tier, or is closed without Redis. */
    stats(): MemoryStats | null;
  };
  /** Counters since the start or the last resetStats(). */
  stats(): CacheStats;
  /** Sets the counters of stats() to 0, and those of memory.stats() unless it is a namespace. What is kept stays. */
  resetStats(): void;
  /** Asks Redis, and says how the cache is. Never rejects. */
  health(): Promise<CacheHealth>;
  /**
   * Writes, invalidations and the storing of values that were called before it are waited for, up to 5 seconds. Loads
   * that still run give their leases back, so that another process loads at once; their callers get what the loader
   * returns. Then the connection that the cache opened ends, and its memory is freed. Safe to call twice.
   */
  close(): Promise<void>;
  /** The same, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link Cache.delete}. */
export interface DeleteOptions {
  /** Leave a copy that is served only when its loader fails, within staleIfError. Default `false`. */
  soft?: boolean | undefined;
}

/**
 * Makes a cache.
 * @throws {TypeError} naming the option that is not valid.
 */
export function createCache(options?: CacheOptions): Cache;

// ---------------------------------------------------------------------------------------------------------- Redis

export * from './redis';

// --------------------------------------------------------------------------------------------------------- errors

/**
 * Base of the errors that Tiercel makes, but for TypeErrors about arguments. Codes of its own:
 * - `CACHE_CLOSED`: the cache is closed
 * - `LOAD_TIMEOUT`: the loader took longer than `timeout`
 * - `LOAD_FAILED`: the load failed in another process, which could not say how
 * - `RECURSIVE_LOAD`: a load would wait for itself
 * - `LEASE_LOST`: the reason of a loader's signal, when its value would not be stored
 * - `MISSING_PACKAGE`: an optional package is needed and not installed; the message names it
 * - `BINDING_NOT_FOUND`: thrown while the package is loaded, when there is no native addon for this platform
 */
export class CacheError extends Error {
  /** For errors of your own that are to look alike. */
  constructor(
    code: string,
    message: string,
    options?: {
      /** What led to it. */
      cause?: unknown;
    },
  );
  /** What happened, for programs: it stays the same when the message changes. */
  readonly code: string;
}

/** Redis did not acknowledge a removal or an invalidation, which is tried again until it does. `code` is `'CACHE_UNAVAILABLE'`. */
export class CacheUnavailableError extends CacheError {
  /** For errors of your own that are to look alike. */
  constructor(
    message: string,
    options?: {
      /** What led to it. */
      cause?: unknown;
    },
  );
  /** Always this. */
  readonly code: 'CACHE_UNAVAILABLE';
}

/**
 * A command failed. `code` is the first word of the server's answer (`WRONGTYPE`, `NOAUTH`, `LOADING`, `READONLY`, `BUSY`,
 * `MASTERDOWN`, `OOM`, `NOSCRIPT`: it did not run; READONLY also makes the client connect anew), or one of the client's:
 * - `CONNECTION_LOST`, `COMMAND_TIMEOUT`: it may have run
 * - `QUEUE_FULL`: too much waits; the oldest is refused while there is no connection, the newest while the server is slow
 * - `CLIENT_CLOSED`, `UNAVAILABLE`, `TOO_LARGE`: not sent
 * - `BLOCKING`: not sent; a command that waits without end would stop the cache that shares the client
 * - `RESULT_TOO_LARGE`: it ran, and its result is larger than a JavaScript string can be
 * - `PROTOCOL_ERROR`: the server sent what is no answer to what was asked; the connection was ended, and it may have run
 * - `CONNECT_FAILED`: of an `error` event
 * - `CORRUPT_ENTRY`: of a `cache:error` event; what is stored under a key is no entry of the cache
 */
export class RedisError extends CacheError {
  /** For errors of your own that are to look alike. */
  constructor(
    code: string,
    message: string,
    command?: string,
    options?: {
      /** What led to it. */
      cause?: unknown;
    },
  );
  /** Name of the command, without its arguments; `undefined` where it was none. */
  readonly command?: string | undefined;
}

// ----------------------------------------------------------------------------------------------------------- keys

/** Builds a key of parts, separated by `:`. Parts that hold `:` or `%` are escaped, so different parts give different keys; 1 and '1' are the same part. */
export function cacheKey(...parts: Array<string | number | bigint | boolean>): string;

/** A short hash of any arguments: equal for equal ones, whatever the order of object keys; `1` and `'1'` differ. */
export function hashArgs(args: readonly unknown[]): string;

/**
 * A pattern that matches exactly this text: what is special in patterns is escaped. For text that is not yours, in the
 * patterns of `invalidatePattern` and `purge`: ``cache.invalidatePattern(`search:${escapePattern(query)}:*`)``.
 * A TypeError when it is no string.
 */
export function escapePattern(text: string): string;

// ----------------------------------------------------------------------------------------------------------- HTTP

export { cacheResponse } from './express';
export type { CacheResponseOptions, CacheResponseMiddleware, RequestListener } from './express';
