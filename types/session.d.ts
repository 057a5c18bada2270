/** Sessions: {@link SessionStore} for express-session, and tokens ({@link createSessions}). */
import type { EventEmitter } from 'node:events';
import type { URL } from 'node:url';
import type { Cache, Duration } from './index';
import { CacheError } from './index';
import type { RedisClient, RedisOptions } from './redis';

export * from './sessions';

/** What a session consists of, for express-session: what the application puts there, and the cookie. */
export interface SessionData {
  /** The cookie, as express-session keeps it. */
  cookie: {
    /** Its lifetime in milliseconds; `null`: until the browser is closed. */
    originalMaxAge: number | null;
    /** When it ends; `null`: when the browser is closed. */
    expires?: Date | string | null | undefined;
    /** Its other settings: path, domain, httpOnly … */
    [setting: string]: any;
  };
  /** What the application puts there. */
  [key: string]: any;
}

/** Makes text of a session, and a session of that text. Either may be asynchronous. */
export interface SessionSerializer {
  /** The text of a session. What it throws reaches the caller of set(). */
  stringify(session: SessionData): string | Promise<string>;
  /** A session of its text. What it throws makes the session unreadable: it counts as none. */
  parse(text: string): SessionData | Promise<SessionData>;
}

/**
 * What becomes of a session that somebody else has written since this request loaded it. `'merge'`: three ways by the keys of
 * its top level, deletions included; values are taken whole. `'last-wins'`: this request's. `'reject'`: an error with code
 * `SESSION_CONFLICT`. A function gets what was loaded, what this request made of it, and what is stored now.
 */
export type SessionConflictPolicy =
  | 'merge'
  | 'last-wins'
  | 'reject'
  | ((base: SessionData, mine: SessionData, theirs: SessionData) => SessionData | Promise<SessionData>);

/** Options of {@link SessionStore}. */
export interface SessionStoreOptions {
  /** A cache: the store opens a connection of its own to its Redis, which ends with the cache. Without Redis: in memory. */
  cache?: Cache | undefined;
  /** Instead of a cache: a URL, options, or an open client. With neither: `REDIS_URL`, else `REDIS_HOST` … */
  redis?: string | URL | RedisOptions | RedisClient | undefined;
  /**
   * In front of every id, with nothing of the cache's own in front of it: apps that share a Redis need one each. `'sess:'`
   * reads the sessions of connect-redis. Default `'session:'`; with `cache.namespace('admins')`, `'session.admins:'`.
   */
  prefix?: string | undefined;
  /**
   * How long a session lives whose cookie has no end. A function decides for every session; 0 or less ends it. The end of
   * the cookie is the end of the session in any case. Default `'1d'`.
   */
  ttl?: Duration | ((session: SessionData) => Duration) | undefined;
  /** Keys without expiry: sessions end by their cookies alone, and stay in Redis until they are destroyed. Default `false`. */
  disableTTL?: boolean | undefined;
  /** Whether touch() does nothing: sessions live from one change to the next. Default `false`. */
  disableTouch?: boolean | undefined;
  /** touch() sends nothing while the stored end is less than so much older. Far below maxAge. Default `0`. */
  touchAfter?: Duration | undefined;
  /** How sessions become text. Default JSON. */
  serializer?: SessionSerializer | undefined;
  /** How many keys the server looks at in one step of a listing. Default `500`. */
  scanCount?: number | undefined;
  /** What becomes of a session that others have written meanwhile. Default `'merge'`. */
  onConflict?: SessionConflictPolicy | undefined;
  /**
   * What was read is kept in the memory of this process (as text, 32 MB, 10 s) until Redis announces a change of it: a
   * logout elsewhere takes effect when the announcement arrives. Needs Redis 6. Default `false`: every read asks Redis.
   */
  memory?: boolean | undefined;
  /**
   * Encrypts sessions with AES-256-GCM, bound to their ids. The newest key first; the others still open what they have
   * sealed. 32 bytes each: a Buffer, 64 hexadecimal digits, or base64. What is not encrypted is then no session.
   */
  keys?: ReadonlyArray<Uint8Array | string> | undefined;
  /** SHA-256 of the id in the place of the id in the key: who reads Redis learns no ids. Default `false`. */
  hashIds?: boolean | undefined;
}

/** Something about a session that is no error of Redis. */
export class SessionError extends CacheError {
  /** For errors of your own that are to look alike. */
  constructor(
    code: SessionError['code'],
    message: string,
    details?: {
      /** Id or handle of the session. */
      id?: string | undefined;
      /** What led to it. */
      cause?: unknown;
    },
  );
  /**
   * `SESSION_CONFLICT`: others have changed the session. `SESSION_UNREADABLE`: what is stored is no session, or was encrypted
   * with another key. `SESSION_UNAVAILABLE`: Redis does not answer. `SESSION_CLOSED`: after close().
   */
  readonly code: 'SESSION_CONFLICT' | 'SESSION_UNREADABLE' | 'SESSION_UNAVAILABLE' | 'SESSION_CLOSED';
  /** Id or handle of the session, where the error is about one. */
  id?: string | undefined;
}

/** What {@link SessionStore.all} gives of a session. */
export interface ListedSession extends SessionData {
  /** The id; with `hashIds` its hash. */
  id: string;
}

type Done = (error?: any) => void;

/**
 * A store for express-session. With a callback nothing is returned, and the callback is called once. Without, a promise
 * that need not be looked at: its error is an `'error'` event as well, and never the end of the process.
 *
 * Events: `'disconnect'` when Redis cannot be reached, `'connect'` when it is back; `'error'`, with an error that no callback
 * was given, or a session that cannot be read (`SESSION_UNREADABLE`; it counts as none), not thrown when nobody listens;
 * `'conflict'`, with `{ id, outcome }`: `'merged'`, `'rejected'`, or `'gone'` (it was destroyed meanwhile, and is not written).
 */
export class SessionStore extends EventEmitter {
  /**
   * @throws {TypeError} naming the option that is not valid.
   * @throws {CacheError} `MISSING_PACKAGE` when express-session is not installed.
   */
  constructor(options?: SessionStoreOptions);
  /** What stands in front of every id in Redis. */
  readonly prefix: string;
  /** The session; `null` when there is none, or it cannot be read. */
  get(id: string, callback: (error: any, session?: SessionData | null) => void): void;
  get(id: string): Promise<SessionData | null>;
  /**
   * A session that get() gave is written only if it still exists; any other is created, or replaced. One whose cookie has
   * expired is destroyed.
   */
  set(id: string, session: SessionData, callback: Done): void;
  set(id: string, session: SessionData): Promise<void>;
  /** Moves the end of a session, in one command without its data. */
  touch(id: string, session: SessionData, callback: Done): void;
  touch(id: string, session: SessionData): Promise<void>;
  /** Ends a session for good: a request that is under way does not bring it back. */
  destroy(id: string, callback: Done): void;
  destroy(id: string): Promise<void>;
  /** All sessions that can be read, each with its `id`. Looks at every key of the server: for rare use. */
  all(callback: (error: any, sessions?: ListedSession[]) => void): void;
  all(): Promise<ListedSession[]>;
  /** The ids of all sessions; with `hashIds` their hashes. Looks at every key of the server. */
  ids(callback: (error: any, ids?: string[]) => void): void;
  ids(): Promise<string[]>;
  /** How many sessions there are. Looks at every key of the server. */
  length(callback: (error: any, length?: number) => void): void;
  length(): Promise<number>;
  /** Ends all sessions under the prefix. */
  clear(callback: Done): void;
  clear(): Promise<void>;
  /** For express-session: ends the session of a request, and gives it a new one. */
  regenerate(req: any, callback: Done): void;
  regenerate(req: any): Promise<void>;
  /** For express-session: the session of an id, made ready for a request. */
  load(id: string, callback: (error: any, session?: any) => void): void;
  /** For express-session: makes the session of a request of what get() gave. */
  createSession(req: any, data: SessionData): any;
  /** Ends the store's own connection. */
  close(): Promise<void>;
  /** The same, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
