/** The Redis client by itself: {@link createRedis}. */
import type { EventEmitter } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import type { Duration, RedisError, Size } from './index';

/** A text, or a function that gives it when it is needed, at once or later. */
export type Credential = string | (() => string | Promise<string>);

/** Options of {@link createRedis}. */
export interface RedisOptions {
  /**
   * `redis://`, `rediss://`, `valkey://` or `valkeys://` with `[user[:password]@]host[:port][/db]`, or
   * `unix:///path[?db=n]`. Other options override its parts. A fragment or another query parameter is a TypeError.
   */
  url?: string | undefined;
  /** Default `'127.0.0.1'`. */
  host?: string | undefined;
  /** Default `6379`. */
  port?: number | undefined;
  /** Path of a Unix socket; replaces host and port. */
  path?: string | undefined;
  /** ACL user. Without a password: one that needs none (`nopass`). */
  username?: Credential | undefined;
  /**
   * A function is called for every connection that is made, so that passwords may change (tokens of IAM, rotated secrets).
   * One that throws counts as an attempt that failed: `CONNECT_FAILED`, and the next after a growing delay.
   */
  password?: Credential | undefined;
  /** Database number. Default `0`. */
  db?: number | undefined;
  /** Shown by CLIENT LIST. */
  clientName?: string | undefined;
  /**
   * `3`: RESP3, and RESP2 when the server refuses HELLO, or closes the connection when it reads it. `2`: RESP2 from the
   * start, without HELLO and CLIENT SETINFO; a cache then hears of no changes of others. Default `3`.
   */
  protocol?: 2 | 3 | undefined;
  /**
   * A command without an answer after this time is rejected (`COMMAND_TIMEOUT`); it may have run. What is sent with over a
   * thousand others before it has its time as long as answers come. Default `'5s'`, `'400ms'` for a cache's own client;
   * `0`: never.
   */
  commandTimeout?: Duration | undefined;
  /** Time to connect and authenticate before the attempt counts as failed. Default `'10s'`. */
  connectTimeout?: Duration | undefined;
  /** The server is asked so often whether it is there, under load too; its answer carries what was asked. Default `'5s'`, `'2s'` for a cache's own client; `0`: never. */
  heartbeat?: Duration | undefined;
  /** `true`, or options of `tls.connect()`. Default `false`; `rediss://` sets it. */
  tls?: boolean | ConnectionOptions | undefined;
  /**
   * Commands that may wait while there is no connection; for one more, the oldest is rejected (`QUEUE_FULL`). A server
   * that is connected takes any number. Default `10000`.
   */
  maxQueuedCommands?: number | undefined;
  /**
   * Bytes that may wait, likewise. While connected: when so many have waited since an earlier turn of the event loop for
   * a server that is slow to read, a new command is rejected (`QUEUE_FULL`). Default `'64mb'`.
   */
  maxQueuedBytes?: Size | undefined;
}

/** Anything that can be an argument of a command. */
export type RedisArgument = string | number | bigint | Uint8Array;

/** What Redis answers, as JavaScript. */
export type RedisReply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | RedisReply[]
  | Map<RedisReply, RedisReply>
  | Set<RedisReply>
  | RedisError;

export interface RedisEvents {
  connect: [];
  ready: [];
  /** The connection ended; `reason` has no secrets. */
  close: [{ reason: string }];
  /** A connection or an attempt failed. Not thrown when nobody listens. */
  error: [Error];
  /** The next attempt is in `delay` milliseconds. */
  reconnecting: [{ attempt: number; delay: number }];
}

/** Counters since the client was made. */
export interface RedisStats {
  commands: number;
  replies: number;
  /** Error replies. */
  errors: number;
  timeouts: number;
  /** Refused for want of room in the queue. */
  refused: number;
  bytesOut: number;
  bytesIn: number;
  connects: number;
  losses: number;
  pushes: number;
  /** Commands that are not answered yet, now. */
  waiting: number;
}

export interface ScoredMember<S = string> {
  member: S;
  score: number;
}

/** What a command gives: a promise, or the pipeline or transaction it was added to. */
export interface RedisResults<T, Done extends unknown[]> {
  promise: Promise<T>;
  pipeline: Pipeline<[...Done, T | RedisError]>;
  transaction: Transaction<[...Done, T | RedisError]>;
}
type A = RedisArgument;

/**
 * Commands with a method of their own; `call()` sends any other. Arguments are those of the command, in its order, without
 * nested arrays or objects. Integers beyond 2^53 arrive as bigints, whatever the type says. EX is seconds, PX milliseconds.
 */
export interface RedisCommands<
  S extends string | Buffer = string,
  K extends keyof RedisResults<unknown, []> = 'promise',
  Done extends unknown[] = [],
> {
  /** Any command. Subscriptions, MULTI, WATCH, MONITOR, SELECT, HELLO, QUIT … are refused with a TypeError. */
  call<T = RedisReply>(command: string, ...args: A[]): RedisResults<T, Done>[K];
  get(key: A): RedisResults<S | null, Done>[K];
  /** Always replaces the value and its time to live. */
  set(key: A, value: A): RedisResults<'OK', Done>[K];
  /** `'EX', seconds`, `'PX', milliseconds`, `'NX'`, `'XX'`, `'KEEPTTL'`, `'GET'`. `null`: not set, or with GET no old value. */
  set(key: A, value: A, ...options: A[]): RedisResults<S | 'OK' | null, Done>[K];
  setex(key: A, seconds: A, value: A): RedisResults<'OK', Done>[K];
  psetex(key: A, milliseconds: A, value: A): RedisResults<'OK', Done>[K];
  setnx(key: A, value: A): RedisResults<boolean, Done>[K];
  getset(key: A, value: A): RedisResults<S | null, Done>[K];
  getdel(key: A): RedisResults<S | null, Done>[K];
  getex(key: A, ...options: A[]): RedisResults<S | null, Done>[K];
  mget(...keys: A[]): RedisResults<Array<S | null>, Done>[K];
  mset(...keysAndValues: A[]): RedisResults<'OK', Done>[K];
  incr(key: A): RedisResults<number, Done>[K];
  decr(key: A): RedisResults<number, Done>[K];
  incrby(key: A, by: A): RedisResults<number, Done>[K];
  decrby(key: A, by: A): RedisResults<number, Done>[K];
  incrbyfloat(key: A, by: A): RedisResults<number, Done>[K];
  append(key: A, value: A): RedisResults<number, Done>[K];
  strlen(key: A): RedisResults<number, Done>[K];
  getrange(key: A, start: A, end: A): RedisResults<S, Done>[K];
  setrange(key: A, offset: A, value: A): RedisResults<number, Done>[K];
  /** How many there were. */
  del(...keys: A[]): RedisResults<number, Done>[K];
  /** How many there were. */
  unlink(...keys: A[]): RedisResults<number, Done>[K];
  /** How many there were. */
  exists(...keys: A[]): RedisResults<number, Done>[K];
  /** How many there were. */
  touch(...keys: A[]): RedisResults<number, Done>[K];
  expire(key: A, seconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  pexpire(key: A, milliseconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  expireat(key: A, unixSeconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  pexpireat(key: A, unixMilliseconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  persist(key: A): RedisResults<boolean, Done>[K];
  /** Seconds; -1 without expiry, -2 without the key. */
  ttl(key: A): RedisResults<number, Done>[K];
  /** Milliseconds; -1 without expiry, -2 without the key. */
  pttl(key: A): RedisResults<number, Done>[K];
  type(key: A): RedisResults<string, Done>[K];
  rename(key: A, to: A): RedisResults<'OK', Done>[K];
  renamenx(key: A, to: A): RedisResults<boolean, Done>[K];
  /** Blocks the server; prefer scan(). */
  keys(pattern: A): RedisResults<S[], Done>[K];
  randomkey(): RedisResults<S | null, Done>[K];
  dbsize(): RedisResults<number, Done>[K];
  flushdb(...options: A[]): RedisResults<'OK', Done>[K];
  flushall(...options: A[]): RedisResults<'OK', Done>[K];
  scriptFlush(...options: A[]): RedisResults<'OK', Done>[K];
  sadd(key: A, ...members: A[]): RedisResults<number, Done>[K];
  srem(key: A, ...members: A[]): RedisResults<number, Done>[K];
  scard(key: A): RedisResults<number, Done>[K];
  zcard(key: A): RedisResults<number, Done>[K];
  hlen(key: A): RedisResults<number, Done>[K];
  smembers(key: A): RedisResults<S[], Done>[K];
  hkeys(key: A): RedisResults<S[], Done>[K];
  hvals(key: A): RedisResults<S[], Done>[K];
  sismember(key: A, member: A): RedisResults<boolean, Done>[K];
  smismember(key: A, ...members: A[]): RedisResults<boolean[], Done>[K];
  spop(key: A): RedisResults<S | null, Done>[K];
  srandmember(key: A): RedisResults<S | null, Done>[K];
  spop(key: A, count: A): RedisResults<S[], Done>[K];
  srandmember(key: A, count: A): RedisResults<S[], Done>[K];
  sunion(...keys: A[]): RedisResults<S[], Done>[K];
  sinter(...keys: A[]): RedisResults<S[], Done>[K];
  sdiff(...keys: A[]): RedisResults<S[], Done>[K];
  /** Scores and members; with INCR the new score, `null` when NX or XX kept it. */
  zadd(key: A, ...args: A[]): RedisResults<number | null, Done>[K];
  zrem(key: A, ...members: A[]): RedisResults<number, Done>[K];
  zcount(key: A, min: A, max: A): RedisResults<number, Done>[K];
  zremrangebyscore(key: A, min: A, max: A): RedisResults<number, Done>[K];
  zremrangebyrank(key: A, start: A, stop: A): RedisResults<number, Done>[K];
  zscore(key: A, member: A): RedisResults<number | null, Done>[K];
  zmscore(key: A, ...members: A[]): RedisResults<Array<number | null>, Done>[K];
  zincrby(key: A, by: A, member: A): RedisResults<number, Done>[K];
  zrank(key: A, member: A): RedisResults<number | null, Done>[K];
  zrevrank(key: A, member: A): RedisResults<number | null, Done>[K];
  /** Redis 7.2. */
  zrank(key: A, member: A, withScore: 'WITHSCORE'): RedisResults<{ rank: number; score: number } | null, Done>[K];
  /** Redis 7.2. */
  zrevrank(key: A, member: A, withScore: 'WITHSCORE'): RedisResults<{ rank: number; score: number } | null, Done>[K];
  /** Objects, as with zpopmin; not a flat list as with ioredis. */
  zrange(key: A, from: A, to: A, withScores: 'WITHSCORES'): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** Objects, as with zpopmin; not a flat list as with ioredis. */
  zrangebyscore(key: A, from: A, to: A, withScores: 'WITHSCORES'): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** `WITHSCORES` goes first when it is to be typed. */
  zrange(key: A, from: A, to: A, ...options: A[]): RedisResults<S[], Done>[K];
  /** `WITHSCORES` goes first when it is to be typed. */
  zrangebyscore(key: A, from: A, to: A, ...options: A[]): RedisResults<S[], Done>[K];
  zpopmin(key: A, count?: A): RedisResults<Array<ScoredMember<S>>, Done>[K];
  zpopmax(key: A, count?: A): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** How many fields are new. */
  hset(key: A, ...fieldsAndValues: A[]): RedisResults<number, Done>[K];
  hsetnx(key: A, field: A, value: A): RedisResults<boolean, Done>[K];
  hget(key: A, field: A): RedisResults<S | null, Done>[K];
  hmget(key: A, ...fields: A[]): RedisResults<Array<S | null>, Done>[K];
  /** Empty without the key; of `buffers`, a Map. */
  hgetall(key: A): RedisResults<[S] extends [string] ? Record<string, S> : Map<S, S>, Done>[K];
  hdel(key: A, ...fields: A[]): RedisResults<number, Done>[K];
  hexists(key: A, field: A): RedisResults<boolean, Done>[K];
  hincrby(key: A, field: A, by: A): RedisResults<number, Done>[K];
  hincrbyfloat(key: A, field: A, by: A): RedisResults<number, Done>[K];
  eval<T = RedisReply>(script: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** Rejects with `NOSCRIPT` when the server does not know it; see script(). */
  evalsha<T = RedisReply>(sha1: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  scriptLoad(script: A): RedisResults<S, Done>[K];
  scriptExists(...sha1s: A[]): RedisResults<boolean[], Done>[K];
  ping(): RedisResults<'PONG', Done>[K];
  ping(message: A): RedisResults<S, Done>[K];
  echo(message: A): RedisResults<S, Done>[K];
  time(): RedisResults<[seconds: number, microseconds: number], Done>[K];
  info(...sections: A[]): RedisResults<Record<string, Record<string, string | Record<string, string>>>, Done>[K];
  publish(channel: A, message: A): RedisResults<number, Done>[K];
}

/** Commands that are sent together, not atomic. A failed one is a RedisError in its place. `pipeline<T[]>()` for loops. */
export interface Pipeline<Done extends unknown[] = []> extends RedisCommands<string, 'pipeline', Done> {
  readonly length: number;
  exec(): Promise<Done>;
}

/** MULTI … EXEC: sent whole or not at all. Rejects when EXEC fails; after CONNECTION_LOST it may have run. */
export interface Transaction<Done extends unknown[] = []> extends RedisCommands<string, 'transaction', Done> {
  readonly length: number;
  exec(): Promise<Done>;
}

export interface Subscription {
  unsubscribe(): Promise<void>;
}

/** A Lua script: EVALSHA, and EVAL when the server does not know it. */
export type Script<T = RedisReply> = (keys?: readonly A[], args?: readonly A[]) => Promise<T>;

export interface KeyScanOptions {
  /** A glob pattern. */
  match?: string | undefined;
  /** A hint of how many per round trip. */
  count?: number | undefined;
}
export interface ScanOptions extends KeyScanOptions {
  /** Only keys of this type. */
  type?: string | undefined;
}
export interface SubscribeOptions<B extends boolean = boolean> {
  /** Messages as Buffers. Default `false`. */
  buffers?: B | undefined;
}
type Message<B extends boolean> = B extends true ? Buffer : string;

/**
 * A Redis client. A command whose answer was lost is never repeated: CONNECTION_LOST and COMMAND_TIMEOUT mean that it may
 * have run. Blocking commands (BLPOP …) belong on a `duplicate()`: they hold up everything behind them. An open client
 * keeps the process alive, as with ioredis, until close() or unref(). Traces: `tracing:tiercel:redis:*` in
 * node:diagnostics_channel, with command and place, never arguments; what Node adds itself is the
 * reply (`result`) or the error.
 */
export interface RedisClient extends EventEmitter<RedisEvents>, RedisCommands {
  readonly status: 'connecting' | 'ready' | 'reconnecting' | 'closed';
  /** The same commands, whose strings come back as Buffers; status replies (`OK`) stay strings. */
  readonly buffers: RedisCommands<Buffer>;
  pipeline<T extends unknown[] = []>(): Pipeline<T>;
  multi<T extends unknown[] = []>(): Transaction<T>;
  script<T = RedisReply>(source: string): Script<T>;
  /** Something may come twice, as with SCAN. */
  scan(options?: ScanOptions): AsyncGenerator<string>;
  sscan(key: A, options?: KeyScanOptions): AsyncGenerator<string>;
  hscan(key: A, options?: KeyScanOptions): AsyncGenerator<[field: string, value: string]>;
  zscan(key: A, options?: KeyScanOptions): AsyncGenerator<ScoredMember>;
  /** On a connection of their own, made again after a reconnect; messages published in between are lost. */
  subscribe<B extends boolean = false>(
    channels: string | string[],
    listener: (message: Message<B>, channel: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  psubscribe<B extends boolean = false>(
    patterns: string | string[],
    listener: (message: Message<B>, channel: string, pattern: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  ssubscribe<B extends boolean = false>(
    channels: string | string[],
    listener: (message: Message<B>, channel: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  /** A client of its own with the same options. */
  duplicate(): RedisClient;
  stats(): RedisStats;
  /** Lets the process end although the connection is open. */
  unref(): this;
  ref(): this;
  /** Waits for the answers that are due, then ends the connection. */
  close(): Promise<void>;
  /** The same, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Ends the connection at once; commands in flight are rejected. */
  destroy(): void;
}

/**
 * Opens a connection; commands may be sent at once and wait for it. Without options: `REDIS_URL`, else `REDIS_HOST` …
 * @throws {TypeError} naming the option that is not valid.
 */
export function createRedis(options?: string | RedisOptions): RedisClient;
