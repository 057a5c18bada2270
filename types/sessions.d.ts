/** Sessions without express-session: createSessions, and middleware that says who asks. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { URL } from 'node:url';
import type { Cache, Duration } from './index';
import type { RedisClient, RedisOptions } from './redis';

/** What JSON makes of it is what is stored; its top level is an object. */
export type SessionObject = Record<string, any>;

/** A number counts as its text: 7 and `'7'` are one user. */
export type UserId = string | number | bigint;

/** Options of {@link createSessions}. */
export interface SessionsOptions {
  /**
   * Sessions go to the Redis of this cache, on a connection of their own, and past its memory; without Redis into the
   * memory of the process, where nothing evicts them. They are closed with it.
   */
  cache?: Cache | undefined;
  /** Instead of a cache: a URL, options, or an open client, which stays open. Neither: the Redis of the environment. */
  redis?: string | URL | RedisOptions | RedisClient | undefined;
  /**
   * First part of every key; the cache's own does not stand in front of it. At most 200 characters. Apps, or kinds of
   * users, that share a Redis need one each. Default `'sessions:'`; with `cache.namespace('admins')`, `'sessions.admins:'`.
   */
  prefix?: string | undefined;
  /** A session that is not used for so long ends. Default `'1d'`. */
  ttl?: Duration | undefined;
  /** A session ends so long after it was created, however much it is used. Default `'30d'`, or `ttl` if that is longer. */
  maxAge?: Duration | undefined;
  /**
   * Encrypts what is stored (AES-256-GCM, bound to its session). 32 bytes each, as a Buffer, 64 hexadecimal digits or
   * base64; the first seals, all open. Sessions that were stored without keys are not read with them.
   */
  keys?: ReadonlyArray<Uint8Array | string> | undefined;
  /** Keys hold the SHA-256 of an id: who reads them in Redis cannot use them. Default `true`. */
  hashIds?: boolean | undefined;
}

/** Options of {@link Sessions.create}. */
export interface CreateSessionOptions {
  /** Whose it is: for allForUser() and destroyAllForUser(). It stays so for as long as the session lives. */
  userId?: UserId | undefined;
  /** For lists: `'iPhone'`. At most 256 characters. */
  label?: string | undefined;
  /** For lists: `req.get('user-agent')`. Cut to 512 characters. */
  userAgent?: string | undefined;
  /** See {@link SessionsOptions.ttl}: for "remember me". */
  ttl?: Duration | undefined;
  /** See {@link SessionsOptions.maxAge}. */
  maxAge?: Duration | undefined;
}

/** What lists show of a session: not its id, with which one could use it. */
export interface SessionEntry {
  /** Stands for the session in {@link Sessions.destroyForUser}. The SHA-256 of its id. */
  handle: string;
  /** Whose it is, as text; undefined: nobody's. */
  userId: string | undefined;
  /** What create() was given. */
  label: string | undefined;
  /** What create() was given, cut to 512 characters. */
  userAgent: string | undefined;
  /** When it was created. */
  createdAt: Date;
  /** When it was created, or refreshed last. */
  lastUsedAt: Date;
  /** If it is not used until then. */
  expiresAt: Date;
}

/** A session as it was read: an object of the caller's own. */
export interface Session<T extends SessionObject = SessionObject> extends SessionEntry {
  /** 256 random bits, 43 characters of `A-Z a-z 0-9 _ -`. */
  id: string;
  /** What the application keeps there. */
  data: T;
}

/** Names of events and what their listeners are given. */
export interface SessionsEvents {
  /** Something that was survived: a record that cannot be read (`SESSION_UNREADABLE`). Nobody has to listen. */
  error: [Error];
  /** The connection is lost, for longer than one attempt. */
  disconnect: [];
  /** It is back. */
  connect: [];
}

/**
 * Made by {@link createSessions}. An id that is none of ours (of another form, destroyed, expired) is no session: never
 * an error. Everything rejects with an error of code `SESSION_UNAVAILABLE` when Redis does not answer, and
 * `SESSION_CLOSED` after close().
 */
export interface Sessions<T extends SessionObject = SessionObject> extends EventEmitter<SessionsEvents> {
  /** The one of the options. */
  readonly cache: Cache | undefined;
  /** The one of the options: what other sessions of the same Redis must not have. */
  readonly prefix: string;

  /** A session with an id that nobody had before. */
  create(data?: T, options?: CreateSessionOptions): Promise<Session<T>>;
  /** The session; undefined: there is none of this id. Does not count as use. */
  get(id: string): Promise<Session<T> | undefined>;
  /** Whether there is a session of this id. Does not count as use. */
  exists(id: string): Promise<boolean>;
  /**
   * Replaces the data, whatever they are now. False: there is no such session, and none is made.
   */
  set(id: string, data: T): Promise<boolean>;
  /**
   * Changes the data in one atomic step: changes that others make at the same time are kept. A patch replaces properties
   * of the top level (`undefined` removes one). A function is given a copy, which it changes or returns another; it is
   * called again when somebody was faster. Resolves to the session as it is then; undefined: there is no such session.
   * @throws `SESSION_CONFLICT` when others were faster for 5 seconds.
   */
  update(id: string, patch: Partial<T>): Promise<Session<T> | undefined>;
  update(id: string, change: (data: T) => T | void | Promise<T | void>): Promise<Session<T> | undefined>;
  /** For good: nothing that is under way brings it back. Whether there was one. */
  destroy(id: string): Promise<boolean>;
  /**
   * Counts as use: it lives for its ttl again, but never beyond its maxAge. Sends no data; with what get() gave it is
   * one command. Whether there is such a session.
   */
  refresh(idOrSession: string | Session<T>): Promise<boolean>;

  /** The handle of an id, to find the present session in a list. */
  handleOf(id: string): string;
  /** The sessions of a user, the last used first. */
  allForUser(userId: UserId): Promise<SessionEntry[]>;
  /** Ends one session of this user by its handle. False: the user has none such. */
  destroyForUser(userId: UserId, handle: string): Promise<boolean>;
  /**
   * Ends all sessions of a user in one step, also those that other processes make or refresh meanwhile. Resolves to how
   * many there were, as far as the list knows.
   */
  destroyAllForUser(
    userId: UserId,
    options?: {
      /** The id of one that stays. Default: none. */
      except?: string | undefined;
    },
  ): Promise<number>;
  /** Ends the connection, if it is one of its own. */
  close(): Promise<void>;
  /** The same, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes sessions.
 * @throws {TypeError} naming the option that is not valid.
 */
export function createSessions<T extends SessionObject = SessionObject>(options?: SessionsOptions): Sessions<T>;

/** What {@link authMiddleware} sets, as `req.auth`. */
export interface Auth<User = unknown, T extends SessionObject = SessionObject> {
  /** The session that was found. */
  session: Session<T>;
  /** What `load` gave; undefined without it. */
  user: User;
}

/** What Express and Connect give a middleware, to go on or to fail. */
export type NextFunction = (error?: unknown) => void;

/** Options of {@link authMiddleware}. */
export interface AuthMiddlewareOptions<User = unknown, T extends SessionObject = SessionObject> {
  /** The sessions among which the one of a request is looked for. */
  sessions: Sessions<T>;
  /**
   * Loads what the application knows of the user, when neither memory nor Redis has it. The result is shared by all
   * sessions and requests of the user, so it must not depend on anything else. `null` or `undefined`: there is no such
   * user, and the session counts as none.
   */
  load?:
    | ((
        session: Session<T>,
        req: any,
        context: {
          /** Aborted when nobody waits for the result any more, or it would not be kept. */
          signal: AbortSignal;
        },
      ) => User | null | undefined | Promise<User | null | undefined>)
    | undefined;
  /** Where `load` keeps what it gave. Default: the cache of the sessions. */
  cache?: Cache | undefined;
  /**
   * What `load` loads. Middlewares of one cache with another `load` need another name, or sessions of another prefix.
   * Default `'user'`.
   */
  name?: string | undefined;
  /** How long what `load` gave is kept. Default: the cache's `ttl`. */
  ttl?: Duration | undefined;
  /** What the result of `load` depends on. Default: the user, or for a session without one the session. */
  key?: ((session: Session<T>, req: any) => string) | undefined;
  /** The cookie that holds the id, or `false`. Default `'sid'`. */
  cookie?: string | false | undefined;
  /** Whether the id may come as `Authorization: Bearer`, which then counts alone. Default `true`. */
  bearer?: boolean | undefined;
  /** `false`: requests without a session pass, without `req.auth`; also while Redis is away. Default `true`: 401. */
  required?: boolean | undefined;
  /** The property of the request that is set. Default `'auth'`. */
  property?: string | undefined;
  /**
   * A session that was not used for so long, or for a quarter of its ttl, is refreshed, behind the request. Default `'1m'`;
   * `false`: never.
   */
  refreshAfter?: Duration | false | undefined;
  /** Answers instead of 401. */
  onUnauthorized?: ((req: any, res: any, next: NextFunction) => unknown) | undefined;
}

/** The type of what {@link authMiddleware} makes. */
export interface AuthMiddleware {
  /** Express and Connect call it: put it before the routes that need a session. */
  (req: IncomingMessage, res: ServerResponse, next: NextFunction): void;
  /** Drops what is known of a user, in all processes: after a change of role or name. */
  forget(userId: UserId): Promise<void>;
}

/**
 * Express and Connect middleware: finds the session of a request and its user. A request without one is answered 401, an
 * error of `load` goes to next(), and so does `SESSION_UNAVAILABLE`, with status 503.
 */
export function authMiddleware<User = unknown, T extends SessionObject = SessionObject>(
  options: AuthMiddlewareOptions<User, T>,
): AuthMiddleware;
