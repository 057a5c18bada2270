/** Keyv 5 on Tiercel: for cacheable, cache-manager, NestJS's CacheModule, got, and whatever else is built on Keyv. */
import type { EventEmitter } from 'node:events';
import type { Keyv } from 'keyv';
import type { Cache, CacheOptions } from './index';

/** Options of {@link KeyvTiercel}. */
export interface KeyvTiercelOptions {
  /**
   * A cache, which disconnect() leaves open, or the options of createCache for one of its own, which it closes.
   * Default: `createCache()`, and so the Redis that the environment names, or memory alone.
   */
  cache?: Cache | CacheOptions | undefined;
  /** Its keys are apart from those of other namespaces, and clear() is for them alone. Keyv sets it to its own. */
  namespace?: string | undefined;
}

/** Options of {@link createKeyv}. */
export interface CreateKeyvOptions extends KeyvTiercelOptions {
  /** Default time to live in MILLISECONDS, as everywhere in Keyv. */
  ttl?: number | undefined;
  /** As in Keyv: errors are thrown, and not only emitted. Default `false`. */
  throwOnErrors?: boolean | undefined;
}

/** One entry of {@link KeyvTiercel.setMany}. */
export interface KeyvTiercelEntry {
  /** The key. */
  key: string;
  /** Anything that the codec of the cache can keep. */
  value: unknown;
  /** Milliseconds. */
  ttl?: number | undefined;
}

/**
 * A storage adapter of Keyv: `new Keyv({ store: new KeyvTiercel(options) })`. One for each Keyv instance; they may share
 * a cache. Times are in MILLISECONDS here, as Keyv has them. Emits `'error'` for what the cache survived, if anybody
 * listens.
 */
export class KeyvTiercel extends EventEmitter {
  /** @param options or the URL of a Redis */
  constructor(options?: KeyvTiercelOptions | string);

  /** Keyv reads and writes it. */
  opts: any;
  /** The cache underneath. */
  readonly cache: Cache;
  /** Whose keys are meant: Keyv writes its own namespace here. */
  get namespace(): string | undefined;
  /** Anything but a string or undefined is a TypeError. */
  set namespace(namespace: string | undefined);

  /** The stored value; `undefined` when there is none that is fresh. */
  get<Value>(key: string): Promise<Value | undefined>;
  /** The stored values, in the order of the keys; `undefined` where there is none. One round trip. */
  getMany<Value>(keys: string[]): Promise<Array<Value | undefined>>;
  /**
   * True when every tier took it, false when Redis could not: it is then stored nowhere.
   * @param ttl milliseconds; without one, or with 0, the cache's `maxTtl`
   */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  /** For each entry what set() gives. */
  // Keyv declares it as Promise<void>, and returns what comes.
  setMany(entries: KeyvTiercelEntry[]): Promise<any>;
  /** Whether a fresh value is stored. */
  has(key: string): Promise<boolean>;
  /** The same for many keys, in their order. */
  hasMany(keys: string[]): Promise<boolean[]>;
  /** Whether there was one. Rejects with a CacheUnavailableError when Redis did not acknowledge it. */
  delete(key: string): Promise<boolean>;
  /** Whether there was any of them. Rejects as delete(). */
  deleteMany(keys: string[]): Promise<boolean>;
  /** Everything in the namespace, in one step however much it is. Rejects as delete(). */
  clear(): Promise<void>;
  /** Keys with their values. Looks at every key of the server: for rare use. As with SCAN, a key may come twice. */
  iterator<Value>(namespace?: string): AsyncGenerator<[string, Awaited<Value>], void>;
  /** Closes the cache, if it is one of its own. */
  disconnect(): Promise<void>;
}

/**
 * A Keyv over a store of its own, with `useKeyPrefix: false`: the store keeps namespaces apart. Needs the package `keyv`.
 * @param options or the URL of a Redis
 */
export function createKeyv(options?: CreateKeyvOptions | string): Keyv;
