// Shapes that the files of this folder hand to each other. Types alone: nothing here is loaded.

export interface StoredEntry {
  payload: Buffer;
  metadata: any;
  /** epoch ms */
  created: number;
  /** ms */
  age: number;
  /** ms until it is stale */
  ttl: number;
  /** declared stale before its time */
  softened: boolean;
  tier: 'memory' | 'redis';
  /** tells this fill of the key from others */
  fill: number;
  /** where memory has it; 0: not there */
  token: number;
  tags: string[];
}

export interface LeaseOptions {
  /** ms */
  leaseFor: number;
  /** whose stamps count from now on, whole names */
  tags: readonly string[];
  /** performance.now() up to which somebody else's lease is waited for; without it nobody waits */
  until?: number;
}

export interface Decoded {
  key: string;
  /** which fill of the key it was decoded from */
  fill: number;
  /** where memory has it */
  token: number;
  /** estimated bytes of heap, with its bookkeeping */
  size: number;
  /** since it was last looked at for eviction */
  used: boolean;
  holder: Holder;
}

export interface Holder {
  /** it has left */
  dropped: (decoded: any) => void;
}

/** What is swept. */
export interface Swept {
  /** drops so many entries at most, and says how many */
  expire: (limit: number) => number;
  /** looks at so much of what was kept of entries, and drops what is gone */
  sweep: (limit: number) => number;
}

/** Makes loads of values under way worthless: their callers get the value, nobody later, and it is not stored. */
export interface Overtake {
  key: (key: string) => void;
  matching: (matches: (key: string) => boolean) => void;
  /** those that have one of these tags, or may have */
  tagged: (names: Set<string>) => void;
}

/** How each kind is carried out. All reject when Redis does not acknowledge. */
export interface Run {
  remove: (key: string) => Promise<unknown>;
  /** whole names */
  tags: (names: string[]) => Promise<unknown>;
  pattern: (pattern: string) => Promise<unknown>;
  clear: () => Promise<unknown>;
}

/** Where a namespace is. */
export interface Place {
  /** of its keys, behind the prefix of the cache */
  space: string;
  /** the tags of this namespace and of those around it */
  namespaces: string[];
  /** whose change clears it */
  namespaceTag: string;
  /** its names, joined by dots; '' outside of all namespaces */
  path: string;
}

/** What a tier holds. Lifetimes in milliseconds. */
export interface Hit {
  kind: 0;
  /** text for JSON and text */
  payload: string | Buffer;
  codec: number;
  /** FRESH, STALE, STALE_ERROR or AHEAD */
  freshness: number;
  /** since the fill */
  age: number;
  /** until it is stale */
  left: number;
  /** epoch, by the writer's clock */
  created: number;
  /** JSON, or '' */
  metadata: string;
  /** until it may no longer be served while it is revalidated */
  staleLeft: number;
  loadTime: number;
  /** tells this fill of the key from others */
  fill: number;
  tags: string[];
  /** where memory has it, for still(); 0: not there */
  token: number;
}

/** Of an entry, in milliseconds from its fill; each is at least the one before. */
export interface Windows {
  /** until it is stale */
  fresh: number;
  /** until it may no longer be served while it is revalidated */
  stale: number;
  /** until it may no longer be served when the load fails, and is gone */
  keep: number;
}

export interface Encoded {
  /** one of codec-numbers.js */
  codec: number;
  payload: string | Uint8Array;
}

/** What came of asking for a lease, when it is no value. Kinds as in src/core/found.h. */
export interface Outcome {
  kind: number;
  /** ms */
  left: number;
  lease: number;
  payload: string | Buffer;
  /** of a failure in Redis, for takeOver() */
  head?: Buffer;
}
