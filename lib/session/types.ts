// Shapes that the files of this folder hand to each other. Types alone: nothing here is loaded.

import type { Done } from './express/touches';
import type { Body } from './tokens/record-format';

export interface Form {
  /** whether records are bytes */
  binary: boolean;
  /** of the expiry */
  patch: import('./storage/scripts').Patch;
  /** throws what the serializer throws. The session is read before it returns */
  encode: (
    id: string,
    session: any,
  ) => import('./express/formats/json').Encoded | Promise<import('./express/formats/json').Encoded>;
  /** undefined, or throws: it is none */
  decode: (
    id: string,
    value: any,
  ) =>
    | import('./express/formats/json').Decoded
    | undefined
    | Promise<import('./express/formats/json').Decoded | undefined>;
  /** what patch puts there */
  expiry: (id: string, cookie: any) => string | Buffer;
}

export interface Encoded {
  value: string | Buffer;
  /** how it begins, unlike every other record; or all of it */
  mark: string | Buffer;
  /** whether it is all of it */
  whole: boolean;
}

export interface Decoded {
  session: any;
  mark: string | Buffer;
  /** none of ours: another store wrote it, or it has no cookie */
  whole: boolean;
}

export interface StoreOptions {
  cache: any;
  redis: any;
  prefix: string;
  /**
   * ms, not above 0 for none; for a session whose cookie has no end, or, when it
   * is the user's function, for every session
   */
  ttlOf: (session: any) => number;
  /** whether it is the user's function */
  ttlDecides: boolean;
  disableTTL: boolean;
  disableTouch: boolean;
  /** ms */
  touchAfter: number;
  serializer: any;
  scanCount: number;
  onConflict: 'merge' | 'last-wins' | 'reject' | ((base: any, mine: any, theirs: any) => any);
  memory: boolean;
  keys: unknown;
  hashIds: boolean;
}

export interface Touch {
  /** of the cookie */
  expires: any;
  /** when the record shall end, epoch ms; Infinity for never */
  ends: number;
  /** what the cookie says */
  maxAge: unknown;
  /** what this request has loaded, if it has */
  loaded: import('./express/loaded-session').LoadedSession | undefined;
}

export interface Running {
  id: string;
  touch: Touch;
  done: Done;
  /** who asked for the same */
  others: Done[] | undefined;
  next: Touch | undefined;
  nextDones: Done[];
}

export interface Patch {
  begins: string;
  offset: number;
  onlyOffset: number;
  script: import('../redis/script').Script;
}

/** What a body says beside the data. Times are of the wall clock, in ms. */
export interface Meta {
  /** user */
  u?: string;
  /** the generation of the user's sessions to which it belongs */
  g?: string;
  /** created */
  c: number;
  /** the end of its whole life */
  e: number;
  /** how long it may be idle */
  t: number;
  /** label */
  l?: string;
  /** user agent */
  a?: string;
}

export interface Stored {
  body: Body;
  /** how the record begins */
  mark: string;
  lastUse: number;
}

/** Where a session is. */
export interface Place {
  /** SHA-256 of the id */
  handle: string;
  /** of its user's list, and end of its key */
  member: string;
  key: string;
}

export interface NormalSessionsOptions {
  cache: any;
  redis: any;
  prefix: string;
  /** idle */
  ttl: number;
  /** absolute */
  maxAge: number;
  sealer: import('./storage/encryption').SealerInstance | undefined;
  hashIds: boolean;
}

export interface NewSession {
  userId: string | undefined;
  label: string | undefined;
  userAgent: string | undefined;
  ttl: number;
  maxAge: number;
}

export interface Generation {
  present: string;
  /** of the record, by the writer's clock */
  end: number;
  session: string | undefined;
  /** the generation of that session */
  left: string | undefined;
}

export interface UserIndex {
  /** or changes its end */
  add: (key: string, member: string, end: number) => Promise<unknown>;
  remove: (key: string, members: readonly string[]) => Promise<unknown>;
  members: (key: string) => Promise<string[]>;
}
