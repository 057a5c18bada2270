/** The Redis client by itself: {@link createRedis}. */
import type { EventEmitter } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import type { URL } from 'node:url';
import type { Duration, RedisError, Size } from './index';
import type { BitmapCommands, GeoCommands, ListCommands, StreamCommands } from './redis-commands';

export type {
  GeoMember,
  GeoUnit,
  StreamConsumerInfo,
  StreamEntry,
  StreamFields,
  StreamGroupInfo,
  StreamInfo,
} from './redis-commands';

/** A text, or a function that gives it when it is needed, at once or later. */
export type Credential = string | (() => string | Promise<string>);

/** Options of {@link createRedis}. */
export interface RedisOptions {
  /**
   * `redis://`, `rediss://`, `valkey://` or `valkeys://` with `[user[:password]@]host[:port][/db]`, or
   * `unix:///path[?db=n]`. Other options override its parts. A fragment or another query parameter is a TypeError.
   */
  url?: string | URL | undefined;
  /** Default `'127.0.0.1'`. */
  host?: string | undefined;
  /** Default `6379`. */
  port?: number | undefined;
  /** `4` or `6`: only IPv4 or IPv6 addresses of `host`. Default `0`: both, side by side. */
  family?: 0 | 4 | 6 | undefined;
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
  /**
   * The delays before new attempts to connect: the first is `min`, each is twice the one before, up to `max`, and a random
   * part of up to a half is taken off. Default `min: '50ms'`, `max: '10s'`, `'800ms'` for a cache's own client. A `max`
   * below `min`, and 0, are a TypeError.
   *
   * Or a function that is given the number of the attempt, 1 for the first after a loss or a failure, and returns the delay
   * before it in milliseconds. With `false` or `null` there is none: the client is closed, and what waits fails with the
   * reason. When it throws or returns something else, that is an `error`, and the default delay holds.
   */
  reconnect?:
    | {
        /** The first delay. Default `'50ms'`. */
        min?: Duration | undefined;
        /** The longest delay. Default `'10s'`, `'800ms'` for a cache's own client. */
        max?: Duration | undefined;
      }
    | ((attempt: number) => number | false | null)
    | undefined;
  /**
   * The server is asked so often whether it is there, under load too; its answer carries what was asked. Default `'5s'`,
   * `'2s'` for a cache's own client; `0`: never.
   */
  heartbeat?: Duration | undefined;
  /** `true`, or options of `tls.connect()`. Default `false`; `rediss://` sets it. */
  tls?: boolean | ConnectionOptions | undefined;
  /**
   * `false`: while there is no connection, and before the first, commands are rejected at once (`UNAVAILABLE`, with the
   * reason); `await redis.ready()` waits for one. Those of a cache on the client, too. Subscriptions wait nevertheless.
   * Default `true`.
   */
  offlineQueue?: boolean | undefined;
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

/** Names of events of a client, and what their listeners are given. */
export interface RedisEvents {
  /** The connection is made; the client has still to say who it is. */
  connect: [];
  /** The server has accepted the client: commands that waited are sent. */
  ready: [];
  /** The connection ended; `reason` has no secrets. */
  close: [
    {
      /** Why, without secrets. */
      reason: string;
    },
  ];
  /** A connection or an attempt failed. Not thrown when nobody listens. */
  error: [Error];
  /** The next attempt is in `delay` milliseconds. */
  reconnecting: [
    {
      /** Number of the attempt since the connection was lost; 0 for one that is made at once. */
      attempt: number;
      /** Milliseconds until the next attempt. */
      delay: number;
    },
  ];
}

/** Counters since the client was made. */
export interface RedisStats {
  /** Commands that were taken. */
  commands: number;
  /** Answers that came, error replies included. */
  replies: number;
  /** Error replies. */
  errors: number;
  /** Commands that were rejected with `COMMAND_TIMEOUT`. */
  timeouts: number;
  /** Refused for want of room in the queue. */
  refused: number;
  /** Bytes of the commands. */
  bytesOut: number;
  /** Bytes that were read. */
  bytesIn: number;
  /** Connections that were made. */
  connects: number;
  /** Connections that were ready and ended. */
  losses: number;
  /** Messages of the server that are no answers: of subscriptions, and of changed keys. */
  pushes: number;
  /** Commands that are not answered yet, now. */
  waiting: number;
}

/** A member of a sorted set. */
export interface ScoredMember<S = string> {
  /** The member itself. */
  member: S;
  /** Its score; `Infinity` and `-Infinity` are possible. */
  score: number;
}

/** What `functionList` gives. */
export interface FunctionLibrary<S extends string | Buffer = string> {
  /** Its name. */
  library_name: S;
  /** The language: `LUA`. */
  engine: S;
  /** What is in it. */
  functions: Array<{
    /** The name to call it by. */
    name: S;
    /** As its author gave it, or `null`. */
    description: S | null;
    /** Such as `no-writes`. */
    flags: S[];
  }>;
  /** With `WITHCODE`. */
  library_code?: S | undefined;
}

/** What a command gives: a promise, or the pipeline or transaction it was added to. */
export interface RedisResults<T, Done extends unknown[]> {
  /** Of a client: the result; rejects with a RedisError. */
  promise: Promise<T>;
  /** Of a pipeline: the pipeline, whose exec() gives the result. */
  pipeline: Pipeline<[...Done, T | RedisError]>;
  /** Of a transaction: the transaction, whose exec() gives the result. */
  transaction: Transaction<[...Done, T | RedisError]>;
}

/** What ZRANK and ZREVRANK give with WITHSCORE. */
export interface MemberRank {
  /** Its place, from 0. */
  rank: number;
  /** Its score. */
  score: number;
}
type A = RedisArgument;

/**
 * Commands with a method of their own; `call()` sends any other. Arguments are those of the command, in its order, without
 * nested arrays or objects: a TypeError otherwise. What fails is a RedisError. Integers beyond 2^53 arrive as bigints,
 * whatever the type says. EX is seconds, PX milliseconds.
 */
export interface RedisCommands<
  S extends string | Buffer = string,
  K extends keyof RedisResults<unknown, []> = 'promise',
  Done extends unknown[] = [],
>
  extends ListCommands<S, K, Done>, StreamCommands<S, K, Done>, GeoCommands<S, K, Done>, BitmapCommands<K, Done> {
  /** Any command. Subscriptions, MULTI, WATCH, MONITOR, SELECT, HELLO, QUIT … are refused with a TypeError. */
  call<T = RedisReply>(command: string, ...args: A[]): RedisResults<T, Done>[K];
  /** The string; `null` without the key. */
  get(key: A): RedisResults<S | null, Done>[K];
  /** Always replaces the value and its time to live. */
  set(key: A, value: A): RedisResults<'OK', Done>[K];
  /** `'EX', seconds`, `'PX', milliseconds`, `'NX'`, `'XX'`, `'KEEPTTL'`, `'GET'`. `null`: not set, or with GET no old value. */
  set(key: A, value: A, ...options: A[]): RedisResults<S | 'OK' | null, Done>[K];
  /** SET with a time to live in seconds. */
  setex(key: A, seconds: A, value: A): RedisResults<'OK', Done>[K];
  /** SET with a time to live in milliseconds. */
  psetex(key: A, milliseconds: A, value: A): RedisResults<'OK', Done>[K];
  /** Sets a key that does not exist. Whether it was set. */
  setnx(key: A, value: A): RedisResults<boolean, Done>[K];
  /** Replaces the value, and gives the one of before; `null` without the key. */
  getset(key: A, value: A): RedisResults<S | null, Done>[K];
  /** Removes the key, and gives its value; `null` without the key. */
  getdel(key: A): RedisResults<S | null, Done>[K];
  /**
   * The value; `null` without the key. Options change its expiry: `'EX', seconds`, `'PX', milliseconds`, `'PERSIST'`.
   * Redis 6.2.
   */
  getex(key: A, ...options: A[]): RedisResults<S | null, Done>[K];
  /** The strings in the order of the keys; `null` where there is none. */
  mget(...keys: A[]): RedisResults<Array<S | null>, Done>[K];
  /** Sets many keys: `key, value, key, value …`, in one step. */
  mset(...keysAndValues: A[]): RedisResults<'OK', Done>[K];
  /** `false`: one of them was there, and none is set. */
  msetnx(...keysAndValues: A[]): RedisResults<boolean, Done>[K];
  /** Adds 1, and gives the sum. A key that does not exist counts as 0. */
  incr(key: A): RedisResults<number, Done>[K];
  /** Takes 1 away, and gives the rest. A key that does not exist counts as 0. */
  decr(key: A): RedisResults<number, Done>[K];
  /** Adds a whole number, and gives the sum. */
  incrby(key: A, by: A): RedisResults<number, Done>[K];
  /** Takes a whole number away, and gives the rest. */
  decrby(key: A, by: A): RedisResults<number, Done>[K];
  /** Adds any number, and gives the sum as a number. */
  incrbyfloat(key: A, by: A): RedisResults<number, Done>[K];
  /** Appends to the string. Gives its new length in bytes. */
  append(key: A, value: A): RedisResults<number, Done>[K];
  /** The length of the string in bytes; 0 without the key. */
  strlen(key: A): RedisResults<number, Done>[K];
  /** The bytes from `start` to `end`, both included; negative numbers count from the end. */
  getrange(key: A, start: A, end: A): RedisResults<S, Done>[K];
  /** Overwrites bytes from `offset` on. Gives the new length of the string in bytes. */
  setrange(key: A, offset: A, value: A): RedisResults<number, Done>[K];
  /** The longest common subsequence. With `'LEN'`: `lcs<number>(…)`; with `'IDX'`, `{ matches, len }`. */
  lcs<T = S>(first: A, second: A, ...options: A[]): RedisResults<T, Done>[K];
  /** How many there were. */
  /** Removes keys. How many there were. */
  del(...keys: A[]): RedisResults<number, Done>[K];
  /** Removes keys; their memory is given back behind the answer. How many there were. */
  unlink(...keys: A[]): RedisResults<number, Done>[K];
  /** How many of the keys there are; one that is named twice counts twice. */
  exists(...keys: A[]): RedisResults<number, Done>[K];
  /** Marks keys as used, for the eviction of the server. How many there were. */
  touch(...keys: A[]): RedisResults<number, Done>[K];
  /**
   * Sets the time to live in seconds. Options: `'NX'`, `'XX'`, `'GT'`, `'LT'`. False: there is no such key, or the
   * option forbade it.
   */
  expire(key: A, seconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  /** The same in milliseconds. */
  pexpire(key: A, milliseconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  /** Sets the time at which the key expires, in seconds since 1970. False as with expire(). */
  expireat(key: A, unixSeconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  /** The same in milliseconds since 1970. */
  pexpireat(key: A, unixMilliseconds: A, ...options: A[]): RedisResults<boolean, Done>[K];
  /** Takes the expiry away. False: there is no such key, or it had none. */
  persist(key: A): RedisResults<boolean, Done>[K];
  /** The time to live in seconds; -1 without expiry, -2 without the key. */
  ttl(key: A): RedisResults<number, Done>[K];
  /** The time to live in milliseconds; -1 without expiry, -2 without the key. */
  pttl(key: A): RedisResults<number, Done>[K];
  /** Unix time in seconds; -1 without expiry, -2 without the key. */
  expiretime(key: A): RedisResults<number, Done>[K];
  /** Unix time in milliseconds; -1 without expiry, -2 without the key. */
  pexpiretime(key: A): RedisResults<number, Done>[K];
  /** What is under the key: `string`, `list`, `set`, `zset`, `hash`, `stream`; `none` without it. */
  type(key: A): RedisResults<string, Done>[K];
  /** `false`: nothing to copy, or without `'REPLACE'` something in its place. `'DB', n`. */
  copy(source: A, destination: A, ...options: A[]): RedisResults<boolean, Done>[K];
  /** To another database of the server. `false`: no such key, or one in its place. */
  move(key: A, db: A): RedisResults<boolean, Done>[K];
  /** For `restore`: always a Buffer; `null` without the key. */
  dump(key: A): RedisResults<Buffer | null, Done>[K];
  /** What `dump` gave. `milliseconds`: its time to live, 0: none. Rejects with `BUSYKEY` without `'REPLACE'`. */
  restore(key: A, milliseconds: A, dumped: Uint8Array, ...options: A[]): RedisResults<'OK', Done>[K];
  /** `'BY', pattern`, `'LIMIT', offset, n`, `'GET', pattern`, `'ASC'`, `'DESC'`, `'ALPHA'`. With `'STORE', key`: `sort<number>(…)`. */
  sort<T = Array<S | null>>(key: A, ...options: A[]): RedisResults<T, Done>[K];
  /** Without `STORE`. */
  sortRo(key: A, ...options: A[]): RedisResults<Array<S | null>, Done>[K];
  /** `null` without the key. */
  objectEncoding(key: A): RedisResults<S | null, Done>[K];
  /** How often it is used, logarithmic. Rejects (`ERR`) unless `maxmemory-policy` is one of LFU. `null` without the key. */
  objectFreq(key: A): RedisResults<number | null, Done>[K];
  /** Seconds since it was used. Rejects (`ERR`) when `maxmemory-policy` is one of LFU. `null` without the key. */
  objectIdleTime(key: A): RedisResults<number | null, Done>[K];
  /** `null` without the key. */
  objectRefCount(key: A): RedisResults<number | null, Done>[K];
  /** Bytes; `null` without the key. `'SAMPLES', n`. */
  memoryUsage(key: A, ...options: A[]): RedisResults<number | null, Done>[K];
  /** `'string'`, `'list'`, `'set'`, `'zset'`, `'hash'`, `'stream'`; `'none'` without the key. */
  type(key: A): RedisResults<string, Done>[K];
  /** Renames a key, and replaces one of the new name. Rejects when there is no such key. */
  rename(key: A, to: A): RedisResults<'OK', Done>[K];
  /** Renames a key unless there is one of the new name. Whether it did. */
  renamenx(key: A, to: A): RedisResults<boolean, Done>[K];
  /** All keys that match a glob pattern. Blocks the server; prefer scan(). */
  keys(pattern: A): RedisResults<S[], Done>[K];
  /** The name of any key; `null` when there is none. */
  randomkey(): RedisResults<S | null, Done>[K];
  /** How many keys the database has. */
  dbsize(): RedisResults<number, Done>[K];
  /** Removes all keys of the database. Options: `'ASYNC'`, `'SYNC'`. */
  flushdb(...options: A[]): RedisResults<'OK', Done>[K];
  /** Removes all keys of all databases. Options: `'ASYNC'`, `'SYNC'`. */
  flushall(...options: A[]): RedisResults<'OK', Done>[K];
  /** Makes the server forget its scripts. Options: `'ASYNC'`, `'SYNC'`. What script() gave sends them again. */
  scriptFlush(...options: A[]): RedisResults<'OK', Done>[K];
  /** Adds to a set. How many are new. */
  sadd(key: A, ...members: A[]): RedisResults<number, Done>[K];
  /** Removes from a set. How many there were. */
  srem(key: A, ...members: A[]): RedisResults<number, Done>[K];
  /** How many members the set has; 0 without the key. */
  scard(key: A): RedisResults<number, Done>[K];
  /** How many members the sorted set has; 0 without the key. */
  zcard(key: A): RedisResults<number, Done>[K];
  /** How many fields the hash has; 0 without the key. */
  hlen(key: A): RedisResults<number, Done>[K];
  /** The members of a set, in no order, as an array. */
  smembers(key: A): RedisResults<S[], Done>[K];
  /** The names of the fields of a hash. */
  hkeys(key: A): RedisResults<S[], Done>[K];
  /** The values of the fields of a hash. */
  hvals(key: A): RedisResults<S[], Done>[K];
  /** Whether the set has the member. */
  sismember(key: A, member: A): RedisResults<boolean, Done>[K];
  /** The same for several members, in their order. Redis 6.2. */
  smismember(key: A, ...members: A[]): RedisResults<boolean[], Done>[K];
  /** Removes a random member, and gives it; `null` without the key. */
  spop(key: A): RedisResults<S | null, Done>[K];
  /** A random member, which stays; `null` without the key. */
  srandmember(key: A): RedisResults<S | null, Done>[K];
  /** Removes up to so many, and gives them. */
  spop(key: A, count: A): RedisResults<S[], Done>[K];
  /** Up to so many different ones; with a negative count exactly so many, which may repeat. */
  srandmember(key: A, count: A): RedisResults<S[], Done>[K];
  /** The members that are in any of the sets. */
  sunion(...keys: A[]): RedisResults<S[], Done>[K];
  /** The members that are in all of the sets. */
  sinter(...keys: A[]): RedisResults<S[], Done>[K];
  /** The members of the first set that are in none of the others. */
  sdiff(...keys: A[]): RedisResults<S[], Done>[K];
  /** How many the result has. */
  sunionstore(destination: A, ...keys: A[]): RedisResults<number, Done>[K];
  /** How many the result has. */
  sinterstore(destination: A, ...keys: A[]): RedisResults<number, Done>[K];
  /** How many the result has. */
  sdiffstore(destination: A, ...keys: A[]): RedisResults<number, Done>[K];
  /** How many are in all of them. `'LIMIT', n`. */
  sintercard(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<number, Done>[K];
  /** `false`: it was not in the source. */
  smove(source: A, destination: A, member: A): RedisResults<boolean, Done>[K];
  /** Scores and members; with INCR the new score, `null` when NX or XX kept it. */
  /**
   * Options, then `score, member, score, member …`. How many members are new; with INCR the new score, `null` when NX
   * or XX kept it.
   */
  zadd(key: A, ...args: A[]): RedisResults<number | null, Done>[K];
  /** Removes from a sorted set. How many there were. */
  zrem(key: A, ...members: A[]): RedisResults<number, Done>[K];
  /** How many have a score from `min` to `max`, both included; `'(5'` excludes, `'-inf'` and `'+inf'` are the ends. */
  zcount(key: A, min: A, max: A): RedisResults<number, Done>[K];
  /** Removes those with a score from `min` to `max`. How many there were. */
  zremrangebyscore(key: A, min: A, max: A): RedisResults<number, Done>[K];
  /** Removes those from place `start` to `stop`, both included, from 0. How many there were. */
  zremrangebyrank(key: A, start: A, stop: A): RedisResults<number, Done>[K];
  /** The score as a number; `null` without the member. */
  zscore(key: A, member: A): RedisResults<number | null, Done>[K];
  /** The same for several members, in their order. Redis 6.2. */
  zmscore(key: A, ...members: A[]): RedisResults<Array<number | null>, Done>[K];
  /** Adds to a score, and gives the sum. A member that is not there begins at 0. */
  zincrby(key: A, by: A, member: A): RedisResults<number, Done>[K];
  /** The place by rising score, from 0; `null` without the member. */
  zrank(key: A, member: A): RedisResults<number | null, Done>[K];
  /** The place by falling score, from 0; `null` without the member. */
  zrevrank(key: A, member: A): RedisResults<number | null, Done>[K];
  /** The place by rising score, and the score. Redis 7.2. */
  zrank(key: A, member: A, withScore: 'WITHSCORE'): RedisResults<MemberRank | null, Done>[K];
  /** The place by falling score, and the score. Redis 7.2. */
  zrevrank(key: A, member: A, withScore: 'WITHSCORE'): RedisResults<MemberRank | null, Done>[K];
  /** Members from place `from` to `to` with their scores: objects, as with zpopmin; not a flat list as with ioredis. */
  zrange(key: A, from: A, to: A, withScores: 'WITHSCORES'): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** Members with a score from `from` to `to`, with their scores: objects; not a flat list as with ioredis. */
  zrangebyscore(key: A, from: A, to: A, withScores: 'WITHSCORES'): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** Members from place `from` to `to`, both included. `WITHSCORES` goes first when it is to be typed. */
  zrange(key: A, from: A, to: A, ...options: A[]): RedisResults<S[], Done>[K];
  /** Members with a score from `from` to `to`, both included. `WITHSCORES` goes first when it is to be typed. */
  zrangebyscore(key: A, from: A, to: A, ...options: A[]): RedisResults<S[], Done>[K];
  /** Removes those of the lowest score, 1 or up to `count`, and gives them. */
  zpopmin(key: A, count?: A): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** Removes those of the highest score, 1 or up to `count`, and gives them. */
  zpopmax(key: A, count?: A): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** From the first that is not empty: `numberOfKeys`, keys, `'MIN'` or `'MAX'`, `'COUNT', n`. `null`: all are empty. */
  zmpop(
    numberOfKeys: number,
    ...keysAndOptions: A[]
  ): RedisResults<[key: S, members: Array<ScoredMember<S>>] | null, Done>[K];
  /** Waits for one, as `blpop` does; `null`: none came in `seconds`. */
  bzpopmin(
    ...keysAndSeconds: [...keys: A[], seconds: A]
  ): RedisResults<[key: S, member: S, score: number] | null, Done>[K];
  /** Waits for one, as `blpop` does; `null`: none came in `seconds`. */
  bzpopmax(
    ...keysAndSeconds: [...keys: A[], seconds: A]
  ): RedisResults<[key: S, member: S, score: number] | null, Done>[K];
  /** Waits for one, as `blpop` does; `null`: none came in `seconds`. */
  bzmpop(
    seconds: A,
    numberOfKeys: number,
    ...keysAndOptions: A[]
  ): RedisResults<[key: S, members: Array<ScoredMember<S>>] | null, Done>[K];
  /** A random member; `null` without the key. */
  zrandmember(key: A): RedisResults<S | null, Done>[K];
  /** At most `count` different ones; negative: as many as that, and one may come twice. */
  zrandmember(key: A, count: A): RedisResults<S[], Done>[K];
  zrandmember(key: A, count: A, withScores: 'WITHSCORES'): RedisResults<Array<ScoredMember<S>>, Done>[K];
  /** How many were stored. Options as with `zrange`. */
  zrangestore(destination: A, source: A, from: A, to: A, ...options: A[]): RedisResults<number, Done>[K];
  /** How many members are between `min` and `max`, in the order of their bytes: `'[a'`, `'(b'`, `'-'`, `'+'`. */
  zlexcount(key: A, min: A, max: A): RedisResults<number, Done>[K];
  /** How many were removed. */
  zremrangebylex(key: A, min: A, max: A): RedisResults<number, Done>[K];
  /** `'WEIGHTS', …`, `'AGGREGATE', how`. With `WITHSCORES` objects: `zunion<ScoredMember>(…)`. */
  zunion<T = S>(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<T[], Done>[K];
  /** As with `zunion`. */
  zinter<T = S>(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<T[], Done>[K];
  /** What is in the first alone. With `WITHSCORES` objects: `zdiff<ScoredMember>(…)`. */
  zdiff<T = S>(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<T[], Done>[K];
  /** How many the result has. */
  zunionstore(destination: A, numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<number, Done>[K];
  /** How many the result has. */
  zinterstore(destination: A, numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<number, Done>[K];
  /** How many the result has. */
  zdiffstore(destination: A, numberOfKeys: number, ...keys: A[]): RedisResults<number, Done>[K];
  /** How many are in all of them. `'LIMIT', n`. */
  zintercard(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<number, Done>[K];
  /** How many fields are new. */
  /** Sets fields: `field, value, field, value …`. How many are new. */
  hset(key: A, ...fieldsAndValues: A[]): RedisResults<number, Done>[K];
  /** Sets a field that does not exist. Whether it was set. */
  hsetnx(key: A, field: A, value: A): RedisResults<boolean, Done>[K];
  /** The value of a field; `null` without it. */
  hget(key: A, field: A): RedisResults<S | null, Done>[K];
  /** The values in the order of the fields; `null` where there is none. */
  hmget(key: A, ...fields: A[]): RedisResults<Array<S | null>, Done>[K];
  /** The fields with their values, as an object; empty without the key. Of `buffers`, a Map. */
  hgetall(key: A): RedisResults<[S] extends [string] ? Record<string, S> : Map<S, S>, Done>[K];
  /** Removes fields. How many there were. */
  hdel(key: A, ...fields: A[]): RedisResults<number, Done>[K];
  /** Whether the hash has the field. */
  hexists(key: A, field: A): RedisResults<boolean, Done>[K];
  /** Adds a whole number to a field, and gives the sum. */
  hincrby(key: A, field: A, by: A): RedisResults<number, Done>[K];
  /** Adds any number to a field, and gives the sum as a number. */
  hincrbyfloat(key: A, field: A, by: A): RedisResults<number, Done>[K];
  /** Bytes of the value; 0 without it. */
  hstrlen(key: A, field: A): RedisResults<number, Done>[K];
  /** A random field; `null` without the key. */
  hrandfield(key: A): RedisResults<S | null, Done>[K];
  /** At most `count` different ones; negative: as many as that, and one may come twice. */
  hrandfield(key: A, count: A): RedisResults<S[], Done>[K];
  hrandfield(key: A, count: A, withValues: 'WITHVALUES'): RedisResults<Array<[field: S, value: S]>, Done>[K];
  /** Runs a Lua script: the number of keys, the keys, the arguments. script() sends its text only once. */
  eval<T = RedisReply>(script: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** Runs a Lua script by its SHA-1. Rejects with `NOSCRIPT` when the server does not know it; see script(). */
  evalsha<T = RedisReply>(sha1: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** A script that does not write: also on replicas. */
  evalRo<T = RedisReply>(script: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** Rejects with `NOSCRIPT` when the server does not know it. */
  evalshaRo<T = RedisReply>(sha1: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** Makes the server know a script. Its SHA-1 in hexadecimal digits. */
  scriptLoad(script: A): RedisResults<S, Done>[K];
  /** Whether the server knows the scripts, in the order of their SHA-1. */
  scriptExists(...sha1s: A[]): RedisResults<boolean[], Done>[K];
  /** A function of a library. */
  fcall<T = RedisReply>(name: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** A function with the flag `no-writes`: also on replicas. */
  fcallRo<T = RedisReply>(name: A, numberOfKeys: number, ...keysAndArgs: A[]): RedisResults<T, Done>[K];
  /** The name of the library: `(code)` or `('REPLACE', code)`. */
  functionLoad(...args: [code: A] | [replace: 'REPLACE', code: A]): RedisResults<S, Done>[K];
  /** Removes a library and its functions. Rejects with `SERVER_ERROR` when there is none. */
  functionDelete(library: A): RedisResults<'OK', Done>[K];
  /** `'LIBRARYNAME', pattern`, `'WITHCODE'`. */
  functionList(...options: A[]): RedisResults<Array<FunctionLibrary<S>>, Done>[K];
  /** For `functionRestore`: always a Buffer. */
  functionDump(): RedisResults<Buffer, Done>[K];
  /** What `functionDump` gave. `'FLUSH'`, `'APPEND'` or `'REPLACE'`. */
  functionRestore(dumped: Uint8Array, ...options: A[]): RedisResults<'OK', Done>[K];
  /** Removes all libraries. `'ASYNC'` or `'SYNC'`. */
  functionFlush(...options: A[]): RedisResults<'OK', Done>[K];
  /** Asks for a sign of life: `'PONG'`. */
  ping(): RedisResults<'PONG', Done>[K];
  /** Asks for the message itself. */
  ping(message: A): RedisResults<S, Done>[K];
  /** The message. */
  echo(message: A): RedisResults<S, Done>[K];
  /** The clock of the server: seconds since 1970, and the microseconds of this second. */
  time(): RedisResults<[seconds: number, microseconds: number], Done>[K];
  /**
   * Sections of fields, names in lower case: `info.memory.used_memory`. A field that is a list itself (`keyspace.db0`)
   * is an object.
   */
  info(...sections: A[]): RedisResults<Record<string, Record<string, string | Record<string, string>>>, Done>[K];
  /** Settings whose names match. */
  configGet(...patterns: A[]): RedisResults<Record<string, S>, Done>[K];
  /** Changes settings until the server is restarted: name, value, name, value … */
  configSet(...namesAndValues: A[]): RedisResults<'OK', Done>[K];
  /** Of this connection; another after a reconnect. */
  clientId(): RedisResults<number, Done>[K];
  /**
   * How many replicas have what was sent before, once they are so many, or when the time is over, which counts on top of
   * `commandTimeout`; 0: without end. Holds up the commands behind it.
   */
  wait(replicas: A, milliseconds: A): RedisResults<number, Done>[K];
  /** How many got it. */
  /** Sends a message to a channel. How many connections of this server have received it. */
  publish(channel: A, message: A): RedisResults<number, Done>[K];
  /** For subscribers of `ssubscribe`: how many got it. */
  spublish(channel: A, message: A): RedisResults<number, Done>[K];
  /** Channels that somebody has subscribed to. */
  pubsubChannels(pattern?: A): RedisResults<S[], Done>[K];
  /** How many have subscribed to each; of `buffers`, a Map. */
  pubsubNumSub(...channels: A[]): RedisResults<[S] extends [string] ? Record<string, number> : Map<S, number>, Done>[K];
  /** How many patterns there are. */
  pubsubNumPat(): RedisResults<number, Done>[K];
}

/** Commands that are sent together, not atomic. A failed one is a RedisError in its place. `pipeline<T[]>()` for loops. */
export interface Pipeline<Done extends unknown[] = []> extends RedisCommands<string, 'pipeline', Done> {
  /** How many commands wait for exec(). */
  readonly length: number;
  /**
   * Sends them. One result for each in their order, a RedisError in the place of a command that failed. What comes then
   * begins anew.
   */
  exec(): Promise<Done>;
}

/** MULTI … EXEC: sent whole or not at all. Rejects when EXEC fails; after CONNECTION_LOST it may have run. */
export interface Transaction<Done extends unknown[] = []> extends RedisCommands<string, 'transaction', Done> {
  /** How many commands wait for exec(). */
  readonly length: number;
  /**
   * Sends them. One result for each in their order, a RedisError in the place of a command that failed. What comes then
   * begins anew.
   */
  exec(): Promise<Done>;
}

/** What {@link RedisClient.subscribe} gives. */
export interface Subscription {
  /** Ends it for this listener; the channel is left when nobody else listens. */
  unsubscribe(): Promise<void>;
}

/** A Lua script: EVALSHA, and EVAL when the server does not know it. */
export type Script<T = RedisReply> = (keys?: readonly A[], args?: readonly A[]) => Promise<T>;

/** Options of `sscan`, `hscan` and `zscan`. */
export interface KeyScanOptions {
  /** A glob pattern. */
  match?: string | undefined;
  /** A hint of how many per round trip. */
  count?: number | undefined;
}
/** Options of `scan`. */
export interface ScanOptions extends KeyScanOptions {
  /** Only keys of this type. */
  type?: string | undefined;
}
/** Options of a subscription. */
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
  /**
   * `'connecting'`: no connection was made yet. `'ready'`: commands are sent at once. `'reconnecting'`: the connection
   * was lost, commands wait. `'closed'`: for good.
   */
  readonly status: 'connecting' | 'ready' | 'reconnecting' | 'closed';
  /** The same commands, whose strings come back as Buffers; status replies (`OK`) stay strings. */
  readonly buffers: RedisCommands<Buffer>;
  /** Collects commands, which exec() sends together. */
  pipeline<T extends unknown[] = []>(): Pipeline<T>;
  /** Collects commands for a transaction, which exec() sends. */
  multi<T extends unknown[] = []>(): Transaction<T>;
  /** A Lua script as a function of its keys and arguments. */
  script<T = RedisReply>(source: string): Script<T>;
  /** The keys of the database, page by page. Something may come twice, as with SCAN. */
  scan(options?: ScanOptions): AsyncGenerator<string>;
  /** The members of a set, as scan(). */
  sscan(key: A, options?: KeyScanOptions): AsyncGenerator<string>;
  /** The fields of a hash with their values, as scan(). */
  hscan(key: A, options?: KeyScanOptions): AsyncGenerator<[field: string, value: string]>;
  /** The members of a sorted set with their scores, as scan(). */
  zscan(key: A, options?: KeyScanOptions): AsyncGenerator<ScoredMember>;
  /**
   * Subscribes to channels, on a connection of their own, made again after a reconnect; messages published in between
   * are lost.
   */
  subscribe<B extends boolean = false>(
    channels: string | string[],
    listener: (message: Message<B>, channel: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  /** Subscribes to patterns of channels; the listener is given the pattern too. */
  psubscribe<B extends boolean = false>(
    patterns: string | string[],
    listener: (message: Message<B>, channel: string, pattern: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  /** Subscribes to sharded channels. Redis 7. */
  ssubscribe<B extends boolean = false>(
    channels: string | string[],
    listener: (message: Message<B>, channel: string) => void,
    options?: SubscribeOptions<B>,
  ): Promise<Subscription>;
  /**
   * Resolves when commands are carried out: connected, authenticated, and not while the server still reads its data
   * (`LOADING`). Attempts that fail are repeated. Commands need not wait for it.
   * @throws {RedisError} `CONNECT_FAILED`: no connection within `connectTimeout`, counted from the call; `cause` is the
   * last failure (wrong password, connection refused …), and the client goes on trying. `CLIENT_CLOSED`.
   */
  ready(): Promise<void>;
  /** The same as `ready()`: a client connects by itself. */
  connect(): Promise<void>;
  /** A client of its own with the same options. */
  duplicate(): RedisClient;
  /** Counters since the client was made. */
  stats(): RedisStats;
  /** Lets the process end although the connection is open. */
  unref(): this;
  /** Keeps the process alive while the connection is open, as at the start. */
  ref(): this;
  /** Waits for the answers that are due, then ends the connection. */
  close(): Promise<void>;
  /** The same, at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Ends the connection at once; commands in flight are rejected. */
  destroy(): void;
}

/**
 * Opens a connection; commands may be sent at once and wait for it. What options without `url`, `host`, `port`
 * and `path` leave out comes from the environment: `REDIS_URL`, else `REDIS_HOST` …
 * @throws {TypeError} naming the option that is not valid.
 */
export function createRedis(options?: string | URL | RedisOptions): RedisClient;
