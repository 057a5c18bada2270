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
