// Shapes that the files of this folder hand to each other. Types alone: nothing here is loaded.

import type { IncomingMessage } from 'node:http';
import type { Verdict } from './record/response-recorder';
import type { Head } from './serve/response-head';

/** The response of a leader, for those whose request it answers too. */
export interface Shared {
  /** by which it was selected */
  names: readonly string[];
  /** of the leader's request */
  selector: string;
}

/** What the policy goes by. Durations in milliseconds. */
export interface Rules {
  ttl: number | undefined;
  /** targeted cache control fields */
  targets: readonly string[];
  vary: readonly string[];
  heuristics: boolean;
  storeSetCookie: boolean;
  partial: boolean;
  storePost: boolean;
  requestDirectives: boolean;
  lenientDates: boolean;
  staleWhileRevalidate: number;
  staleIfError: number;
  staleIfDisconnected: number;
  /** for revalidation, after the lifetime */
  retain: number;
}

export interface HttpCacheOptions {
  /** the Tiercel cache itself; what is known of its mounts is kept per cache */
  cache: object;
  store: import('../store/byte-entries').ByteEntriesInstance;
  rules: Rules;
  /** as it is written in Cache-Status */
  name: string;
  maxBodyBytes: number;
  key: ((req: IncomingMessage) => string) | undefined;
  identity: ((req: IncomingMessage) => string | undefined | null) | undefined;
  keyHeaders: readonly string[];
  query: import('./storage/request-key').QueryRule;
  /** whole names */
  tags: ((req: IncomingMessage) => readonly string[]) | undefined;
  /** how long one request waits for the handler of another; 0: not at all */
  collapse: number;
  leaseFor: number;
  hitForMiss: number;
  compress: readonly ('br' | 'gzip' | 'zstd')[];
  serverTiming: boolean;
  warnings: boolean;
  log: ((event: any) => void) | undefined;
  route: ((req: IncomingMessage) => string) | undefined;
}

/** Who hears of a response. None of them may throw. */
export interface CaptureListener {
  /**
   * Its head is about to be committed, and fields can still be set. `body` is the whole body when it is known already;
   * `fits` is false when it is known to be too long.
   */
  onHead: (head: Head, known: { fits: boolean; body: Buffer | undefined }) => Verdict;
  /** its head as outer layers completed it: whether the copy is still wanted */
  onCommitted: (head: Head) => boolean;
  /** a copy of what was written, in order; false: not more just now */
  onChunk: (chunk: Buffer) => boolean | void;
  /** it was ended, and is whole */
  onComplete: (body: Buffer) => void;
  /** it was ended, after what was copied or too large to be; or cut off */
  onEnd: (whole: boolean) => void;
  /** it was ended; the response is as it was before the handler got it. `body` is the copy */
  onDiverted: (body: Buffer | undefined) => void;
  /** there will be no copy */
  onDropped: (reason: 'refused' | 'too-large' | 'aborted') => void;
  /** whether others still wait for it when its own client has gone */
  isAwaited: () => boolean;
}

/** What a run may fill, and who waits for it. */
export interface Right {
  slot: import('./storage/response-store').Slot;
  lease: import('../store/lease').LeaseInstance | undefined;
  flight: import('./flow/collapse').StartedFlight | undefined;
}

/** What the head of a response says about its storing. */
export interface Judgement {
  /** why it may not be stored */
  refused: string | undefined;
  /** ms */
  lifetime: number;
  /** ms, when the head came */
  age: number;
  /** ms after its lifetime */
  staleWhileRevalidate: number;
  /** ms after its lifetime */
  staleIfError: number;
  /** never reused without revalidation */
  noCache: boolean;
  /** never reused when stale */
  mustRevalidate: boolean;
  /** may answer requests with Authorization */
  forAuthorized: boolean;
}

export interface Slice {
  status: 206 | 416;
  /** in the payload */
  start: number;
  /** behind its last byte */
  end: number;
  contentRange: string;
}

export interface Field {
  /** as written */
  name: string;
  /** in lower case */
  id: string;
  /** one per line on the wire */
  lines: string[];
}

export interface ServeOptions {
  /** of this cache, for Cache-Status */
  name: string;
  /** parameters of Cache-Status: https://www.rfc-editor.org/rfc/rfc9211.html#section-2 */
  how: string;
  lenientDates?: boolean;
  /** whether to add Server-Timing */
  timing?: boolean;
}

/** Whose answer is asked for. */
export interface Target {
  /** key of the URL */
  base: string;
  req: IncomingMessage;
  identity: string | undefined;
  /** in which it is served, where this layer compresses */
  coding?: import('./storage/compress').Coding | 'identity';
  /** names by which the response is told from others, whatever Vary says */
  required: readonly string[];
}

/** Where the response to a request is, or will be. */
export interface Slot {
  key: string;
  /** under the URL; undefined: there is none, or it does not fit */
  marker: Marker | undefined;
  variant: boolean;
  /** what stands there is no response to this request, and has to be replaced */
  occupied: boolean;
}

/** JSON in the cache, next to the body. */
export interface Metadata {
  /** version of this shape */
  http: 2;
  status: number;
  /** the reason phrase, '' for the usual one */
  message: string;
  /** name, value, name, value … ready to be written but for Age and Cache-Status */
  head: string[];
  /** '' when there is none */
  etag: string;
  /** Last-Modified, '' when there is none */
  modified: string;
  /** ms, when it was stored */
  age: number;
  /** ms from its origin, not from its storing */
  life: number;
  /** ms after its life */
  swr: number;
  /** ms after its life */
  sie: number;
  /** of policy.js */
  flags: number;
  /** Cache-Status of the layers behind us */
  upstream: string;
  /** which soft purge of its URL it is younger than */
  soft?: string;
  /** the handler's own, of a body that was compressed here */
  plainEtag?: string;
  /** of a 206: where it begins, and how long the whole is */
  part?: [number, number];
}

/**
 * What stands under a URL whose answers vary: the names by which they do, and under which generation they are found.
 */
export interface Marker {
  http: 2;
  names: string[];
  generation: string;
  /** changes with every soft purge */
  soft: string;
  /** Content-Language → selector */
  languages?: Record<string, string>;
}

/** What can be served: an entry, or a stored response that somebody waited for. */
export interface Usable {
  payload: Buffer;
  metadata: Metadata;
  /** ms since it was stored */
  age: number;
  softened: boolean;
}
