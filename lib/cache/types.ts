// Shapes that the files of this folder hand to each other. Types alone: nothing here is loaded.

import type { Encoded } from '../store/types';
import type { InFlightLoadInstance as InFlightLoad } from './single-flight';

export interface Sleeper {
  /** false: it was used since it was asked last, or something is under way */
  sleep: () => boolean;
}

/** What a call has when it says nothing. */
export interface CallDefaults {
  ttl: number;
  maxTtl: number;
  /** a share of the ttl */
  jitter: number;
  staleWhileRevalidate: number;
  staleIfError: number;
  /** as in src/node/cache_store.cpp: 0 none, ms, minus a share, NaN for XFetch */
  refreshAhead: number;
  timeout: number | undefined;
  softTimeout: number | undefined;
  errorBackoff: number;
  leaseTimeout: number;
  /** values of options of a call that were found to be valid, by the name of the option */
  checked: Map<string, Set<unknown>>;
}

export interface CacheCodec {
  name: string;
  custom: boolean;
  /** throws a TypeError that begins with `what` */
  encode: (value: unknown, what: string) => Encoded;
  /** a value of its own for every call; undefined when the payload cannot be read */
  decode: (codec: number, payload: string | Uint8Array) => any;
}

export interface Layout {
  kind: number;
  /** of what is nested */
  keys: ReadonlyArray<any>;
  /** its layouts */
  parts: ReadonlyArray<any>;
  id: number;
}

export interface Plan {
  /** the value to copy: belongs to the plan, nobody may change it */
  source: any;
  /** undefined: a primitive */
  layout: Layout | undefined;
}

export interface MemoryOptions {
  maxBytes: number;
  maxEntryBytes: number;
  /** 0: no bound */
  maxEntries: number;
  /** ms */
  maxStaleness: number;
  /** with the other caches of the namespace in this process */
  shared: boolean | undefined;
}

export interface NormalCacheOptions {
  redis: import('../redis/options').NativeRedisOptions | import('../redis/client').Client | undefined;
  ownsClient: boolean;
  memory: MemoryOptions | undefined;
  namespace: string;
  /** of every key in Redis */
  prefix: string;
  /** the address of Redis and the number of the database, '' without Redis */
  server: string;
  /** caches of this process with the same one share their memory */
  tierName: string;
  /** ms that the stamp of a tag lives */
  stampFor: number;
  call: import('./call-options').CallDefaults;
  codec: import('./codecs').CacheCodec;
  share: 'copy' | 'frozen';
  logger: import('../../types').Logger | undefined;
}

/** What a load gave. */
export interface LoadResult {
  /** for the caller that began it */
  value: any;
  /** for the other callers; undefined: they share the value */
  encoded: import('./codecs').Encoded | undefined;
  /** 'none': somebody else refreshes the entry */
  source: 'memory' | 'redis' | 'loader' | 'stale' | 'none';
  /** of a tier */
  hit?: import('../store/tiered-store').Hit;
}

/** Told by a load about its lease. */
export interface LeaseOwner {
  leaseLost: (load: InFlightLoad) => void;
  /** the key has changed while the load holds its lease */
  checkLease: (load: InFlightLoad) => void;
}
