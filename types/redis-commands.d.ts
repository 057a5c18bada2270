/** Commands of `RedisCommands`, by subject. As there, arguments are those of the command, in its order. */
import type { RedisArgument, RedisResults } from './redis';

type A = RedisArgument;
type End = 'LEFT' | 'RIGHT';

/**
 * Lists. What waits (`blpop`, `brpop`, `blmove`, `blmpop`) holds up the commands behind it: use a `duplicate()`. Its time
 * is in seconds, fractions too, and counts on top of `commandTimeout`; `0` waits without end. On a client that a cache
 * uses it is refused (`BLOCKING`). In a transaction nothing waits.
 */
export interface ListCommands<
  S extends string | Buffer,
  K extends keyof RedisResults<unknown, []>,
  Done extends unknown[],
> {
  /** The new length. The last element becomes the first of the list. */
  lpush(key: A, ...elements: A[]): RedisResults<number, Done>[K];
  /** The new length. */
  rpush(key: A, ...elements: A[]): RedisResults<number, Done>[K];
  /** The new length; 0 without the list, which is not made. */
  lpushx(key: A, ...elements: A[]): RedisResults<number, Done>[K];
  /** The new length; 0 without the list, which is not made. */
  rpushx(key: A, ...elements: A[]): RedisResults<number, Done>[K];
  /** The first element, removed; `null` without the list. */
  lpop(key: A): RedisResults<S | null, Done>[K];
  /** At most `count` from the front, removed; `null` without the list. */
  lpop(key: A, count: A): RedisResults<S[] | null, Done>[K];
  /** The last element, removed; `null` without the list. */
  rpop(key: A): RedisResults<S | null, Done>[K];
  /** At most `count` from the end, the last one first; `null` without the list. */
  rpop(key: A, count: A): RedisResults<S[] | null, Done>[K];
  /** 0 without the list. */
  llen(key: A): RedisResults<number, Done>[K];
  /** Both ends included; negative ones count from the end. */
  lrange(key: A, start: A, stop: A): RedisResults<S[], Done>[K];
  /** `null` beyond the ends. */
  lindex(key: A, index: A): RedisResults<S | null, Done>[K];
  /** The new length; -1 without the pivot, 0 without the list. */
  linsert(key: A, where: 'BEFORE' | 'AFTER', pivot: A, element: A): RedisResults<number, Done>[K];
  /** Rejects (`ERR`) beyond the ends, and without the list. */
  lset(key: A, index: A, element: A): RedisResults<'OK', Done>[K];
  /** How many were removed. `count`: from the front; negative: from the end; 0: all. */
  lrem(key: A, count: A, element: A): RedisResults<number, Done>[K];
  /** Keeps these alone. */
  ltrim(key: A, start: A, stop: A): RedisResults<'OK', Done>[K];
  /** The places of all that match, at most `count`; 0: all. */
  lpos(key: A, element: A, word: 'COUNT', count: A, ...options: A[]): RedisResults<number[], Done>[K];
  /** The place of the first; `null`: none. `'RANK', n`, `'MAXLEN', n`. `COUNT` goes first when it is to be typed. */
  lpos(key: A, element: A, ...options: A[]): RedisResults<number | null, Done>[K];
  /** What was moved; `null` without the source. */
  lmove(source: A, destination: A, from: End, to: End): RedisResults<S | null, Done>[K];
  /** The first list that is not empty, and what was taken from it: `numberOfKeys`, keys, `'LEFT'` or `'RIGHT'`, `'COUNT', n`. */
  lmpop(numberOfKeys: number, ...keysAndOptions: A[]): RedisResults<[key: S, elements: S[]] | null, Done>[K];
  /** Waits for one; `null`: none came in `seconds`. */
  blpop(...keysAndSeconds: [...keys: A[], seconds: A]): RedisResults<[key: S, element: S] | null, Done>[K];
  /** Waits for one; `null`: none came in `seconds`. */
  brpop(...keysAndSeconds: [...keys: A[], seconds: A]): RedisResults<[key: S, element: S] | null, Done>[K];
  /** Waits for one; `null`: none came in `seconds`. */
  blmove(source: A, destination: A, from: End, to: End, seconds: A): RedisResults<S | null, Done>[K];
  /** Waits for one; `null`: none came in `seconds`. */
  blmpop(
    seconds: A,
    numberOfKeys: number,
    ...keysAndOptions: A[]
  ): RedisResults<[key: S, elements: S[]] | null, Done>[K];
}

/** The fields of an entry: an object without a prototype; of `buffers`, a Map. Of a field that is there twice, the last. */
export type StreamFields<S extends string | Buffer> = [S] extends [string] ? Record<string, S> : Map<S, S>;
/** One entry: its id, `milliseconds-number`, and its fields. */
export type StreamEntry<S extends string | Buffer = string> = [id: S, fields: StreamFields<S>];
/** `fields` is `null` where the entry was deleted. */
type PendingEntry<S extends string | Buffer> = [id: S, fields: StreamFields<S> | null];
type ByStream<S extends string | Buffer, E> = [S] extends [string] ? Record<string, E[]> : Map<S, E[]>;

/** XINFO STREAM; more than this with `FULL`, where `groups` and `entries` are lists. */
export interface StreamInfo<S extends string | Buffer = string> {
  /** How many entries it has. */
  length: number;
  /** How many consumer groups there are; with `FULL` the groups. */
  groups: number | Array<Record<string, unknown>>;
  /** The id of the newest entry that was ever added. */
  'last-generated-id': S;
  /** Nodes of the tree that holds the entries, by their number of keys. */
  'radix-tree-keys': number;
  /** All nodes of that tree. */
  'radix-tree-nodes': number;
  /** `null` when the stream is empty. Not there with `FULL`. */
  'first-entry'?: StreamEntry<S> | null | undefined;
  /** The newest, likewise. */
  'last-entry'?: StreamEntry<S> | null | undefined;
  /** With `FULL`. */
  entries?: Array<StreamEntry<S>> | undefined;
  /** What newer servers add. */
  [name: string]: unknown;
}
/** XINFO GROUPS: one consumer group. */
export interface StreamGroupInfo<S extends string | Buffer = string> {
  /** Of the group. */
  name: S;
  /** How many consumers it has. */
  consumers: number;
  /** Entries that were delivered and not acknowledged. */
  pending: number;
  /** The id of the entry that was delivered last. */
  'last-delivered-id': S;
  /** How many entries the group has read; `null` when the server cannot tell. Redis 7. */
  'entries-read'?: number | null | undefined;
  /** How many entries wait to be delivered, likewise. */
  lag?: number | null | undefined;
}
/** XINFO CONSUMERS: one consumer of a group. */
export interface StreamConsumerInfo<S extends string | Buffer = string> {
  /** Of the consumer. */
  name: S;
  /** Entries that were delivered to it and not acknowledged. */
  pending: number;
  /** Milliseconds. */
  idle: number;
  /** Milliseconds since it was given something. Redis 7.2. */
  inactive?: number | undefined;
}

/**
 * Streams. An entry is `[id, fields]`. With `BLOCK` (milliseconds; 0: without end) `xread` and `xreadgroup` hold up the
 * commands behind them: use a `duplicate()`. The time counts on top of `commandTimeout`.
 */
export interface StreamCommands<
  S extends string | Buffer,
  K extends keyof RedisResults<unknown, []>,
  Done extends unknown[],
> {
  /** The id; `null`: with `NOMKSTREAM`, no stream. Options, `'*'` or an id, fields and values. */
  xadd(key: A, ...args: A[]): RedisResults<S | null, Done>[K];
  /** 0 without the stream. */
  xlen(key: A): RedisResults<number, Done>[K];
  /** How many there were. */
  xdel(key: A, ...ids: A[]): RedisResults<number, Done>[K];
  /** How many were removed. */
  xtrim(key: A, by: 'MAXLEN' | 'MINID', ...args: A[]): RedisResults<number, Done>[K];
  /** From `'-'` to `'+'`, both included; `'COUNT', n`. */
  xrange(key: A, start: A, end: A, ...options: A[]): RedisResults<Array<StreamEntry<S>>, Done>[K];
  /** The newest first: from `'+'` to `'-'`. */
  xrevrange(key: A, end: A, start: A, ...options: A[]): RedisResults<Array<StreamEntry<S>>, Done>[K];
  /** `'COUNT', n, 'BLOCK', milliseconds, 'STREAMS', ...keys, ...ids`. By key, streams with entries alone; `null`: none has any. */
  xread(...args: A[]): RedisResults<ByStream<S, StreamEntry<S>> | null, Done>[K];
  /** `'GROUP', group, consumer`, and as with `xread`; the id `'>'` stands for what nobody was given. */
  xreadgroup(...args: A[]): RedisResults<ByStream<S, PendingEntry<S>> | null, Done>[K];
  /** How many were pending. */
  xack(key: A, group: A, ...ids: A[]): RedisResults<number, Done>[K];
  /** How many are pending, the smallest and the largest id (`null`: none), and how many each consumer has. */
  xpending(
    key: A,
    group: A,
  ): RedisResults<
    [pending: number, first: S | null, last: S | null, consumers: Array<[name: S, pending: number]>],
    Done
  >[K];
  /** `'IDLE', milliseconds`, start, end, count, consumer. */
  xpending(
    key: A,
    group: A,
    ...range: A[]
  ): RedisResults<Array<[id: S, consumer: S, idleMilliseconds: number, deliveries: number]>, Done>[K];
  /** Ids and options. With `JUSTID` the ids alone: give the type then. */
  xclaim<T = Array<StreamEntry<S>>>(
    key: A,
    group: A,
    consumer: A,
    minIdleMilliseconds: A,
    ...idsAndOptions: A[]
  ): RedisResults<T, Done>[K];
  /** Where to go on, the entries, and ids that were deleted. With `JUSTID` ids in place of entries: give the type then. */
  xautoclaim<T = Array<StreamEntry<S>>>(
    key: A,
    group: A,
    consumer: A,
    minIdleMilliseconds: A,
    start: A,
    ...options: A[]
  ): RedisResults<[next: S, entries: T, deleted: S[]], Done>[K];
  /** Sets the id that the next entry must be above. */
  xsetid(key: A, lastId: A, ...options: A[]): RedisResults<'OK', Done>[K];
  /** `id`: behind which it begins; `'$'`: the end. `'MKSTREAM'`. Rejects with `BUSYGROUP` when there is one of this name. */
  xgroupCreate(key: A, group: A, id: A, ...options: A[]): RedisResults<'OK', Done>[K];
  /** `false`: it was there. */
  xgroupCreateConsumer(key: A, group: A, consumer: A): RedisResults<boolean, Done>[K];
  /** How many entries it had pending, which are lost. */
  xgroupDelConsumer(key: A, group: A, consumer: A): RedisResults<number, Done>[K];
  /** `false`: there was none. */
  xgroupDestroy(key: A, group: A): RedisResults<boolean, Done>[K];
  /** Sets the id behind which the group reads on. */
  xgroupSetId(key: A, group: A, id: A, ...options: A[]): RedisResults<'OK', Done>[K];
  /** What the server knows of the stream. Rejects with `SERVER_ERROR` when there is none. */
  xinfoStream(key: A, ...options: A[]): RedisResults<StreamInfo<S>, Done>[K];
  /** The consumer groups of the stream. */
  xinfoGroups(key: A): RedisResults<Array<StreamGroupInfo<S>>, Done>[K];
  /** The consumers of a group. */
  xinfoConsumers(key: A, group: A): RedisResults<Array<StreamConsumerInfo<S>>, Done>[K];
}

/** Metres, kilometres, miles or feet. */
export type GeoUnit = 'm' | 'km' | 'mi' | 'ft';
/** What `geosearch` finds when more than the members is asked for. */
export interface GeoMember<S extends string | Buffer = string> {
  /** Its name in the sorted set. */
  member: S;
  /** `WITHDIST`: in the unit of the search. */
  distance?: number | undefined;
  /** `WITHHASH`: the score, 52 bits. */
  hash?: number | undefined;
  /** `WITHCOORD`. */
  position?: [longitude: number, latitude: number] | undefined;
}

/** Places on the globe, in sorted sets. Longitude comes first. */
export interface GeoCommands<
  S extends string | Buffer,
  K extends keyof RedisResults<unknown, []>,
  Done extends unknown[],
> {
  /** How many are new. `'NX'`, `'XX'`, `'CH'`, then longitude, latitude, member … */
  geoadd(key: A, ...args: A[]): RedisResults<number, Done>[K];
  /** In metres, or the unit; `null` when one of them is not there. */
  geodist(key: A, first: A, second: A, unit?: GeoUnit): RedisResults<number | null, Done>[K];
  /** 11 characters each; `null` for what is not there. */
  geohash(key: A, ...members: A[]): RedisResults<Array<S | null>, Done>[K];
  /** As exact as 52 bits are; `null` for what is not there. */
  geopos(key: A, ...members: A[]): RedisResults<Array<[longitude: number, latitude: number] | null>, Done>[K];
  /**
   * `'FROMMEMBER', member` or `'FROMLONLAT', longitude, latitude`; `'BYRADIUS', radius, unit` or `'BYBOX', width, height,
   * unit`; `'ASC'`, `'DESC'`, `'COUNT', n`. With `WITHDIST`, `WITHHASH` or `WITHCOORD` objects: `geosearch<GeoMember>(…)`.
   */
  geosearch<T = S>(key: A, ...options: A[]): RedisResults<T[], Done>[K];
  /** How many were stored. */
  geosearchstore(destination: A, source: A, ...options: A[]): RedisResults<number, Done>[K];
}

/** Bits of strings, and HyperLogLogs. */
export interface BitmapCommands<K extends keyof RedisResults<unknown, []>, Done extends unknown[]> {
  /** What the bit was. */
  setbit(key: A, offset: A, bit: A): RedisResults<0 | 1, Done>[K];
  /** The bit; 0 beyond the end, and without the key. */
  getbit(key: A, offset: A): RedisResults<0 | 1, Done>[K];
  /** Start and end, both included, of bytes, or of bits with a last `'BIT'`. */
  bitcount(key: A, ...range: A[]): RedisResults<number, Done>[K];
  /** The place of the first such bit; -1: none. */
  bitpos(key: A, bit: A, ...range: A[]): RedisResults<number, Done>[K];
  /** The length of the result in bytes. */
  bitop(operation: A, destination: A, ...keys: A[]): RedisResults<number, Done>[K];
  /** `'GET', type, offset`, `'SET', type, offset, value`, `'INCRBY', type, offset, by`, `'OVERFLOW', how` …; `null` where `FAIL` kept it. */
  bitfield(key: A, ...operations: A[]): RedisResults<Array<number | null>, Done>[K];
  /** With `GET` alone. */
  bitfieldRo(key: A, ...operations: A[]): RedisResults<number[], Done>[K];
  /** Whether the estimate changed. */
  pfadd(key: A, ...elements: A[]): RedisResults<boolean, Done>[K];
  /** About how many different ones there are, in all of them together: off by about 0.81 %. */
  pfcount(...keys: A[]): RedisResults<number, Done>[K];
  /** Stores the union of all in `destination`, which counts as one of them. */
  pfmerge(destination: A, ...keys: A[]): RedisResults<'OK', Done>[K];
}
