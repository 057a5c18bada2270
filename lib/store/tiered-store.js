'use strict';
// Both tiers as promises: what src/node/cache_store.cpp offers, the same with Redis and without. What a read fails with
// is survived here; what a change fails with is for the caller. Knows keys and entries, nothing of values or loaders.
const binding = require('../binding');
const { nextTurn } = require('../timers');
const { RedisError } = require('../errors');
const { linkOf } = require('../redis/link');
const { entriesIn } = require('./snapshot');
const { acquireWriteOrder, releaseWriteOrder } = require('./write-order');

// Flags of those that read, as in src/node/cache_store_flags.h.
const WHOLE = 1;
const SILENT = 2;
const DISTRUSTED = 4;
const OVER_FAILURE = 8; // of acquire(), without Redis

/** @typedef {import('./types').Hit} Hit */

/** @typedef {import('./types').Windows} Windows */

/** @typedef {import('./types').Encoded} Encoded */

const FRESH = 0;
const STALE = 1;
const STALE_ERROR = 2;
const AHEAD = 3; // fresh, and its refresh is due

/** @typedef {import('./types').Outcome} Outcome */
const OUTDATED = 3;
const AGAIN = 4;
const LEASED = 5;
const BUSY = 6;
const FAILED = 7;
const UNCACHEABLE = 8;

const factories = {
  hit: (
    /** @type {string | Buffer} */ payload,
    /** @type {number} */ codec,
    /** @type {number} */ freshness,
    /** @type {number} */ age,
    /** @type {number} */ left,
    /** @type {number} */ created,
    /** @type {string} */ metadata,
    /** @type {number} */ staleLeft,
    /** @type {number} */ loadTime,
    /** @type {number} */ fill,
    /** @type {string[]} */ tags,
    /** @type {number} */ token,
  ) => ({ kind: 0, payload, codec, freshness, age, left, created, metadata, staleLeft, loadTime, fill, tags, token }),
  outcome: (
    /** @type {number} */ kind,
    /** @type {number} */ left,
    /** @type {number} */ lease,
    /** @type {string | Buffer} */ payload,
    /** @type {Buffer | undefined} */ head,
  ) => ({ kind, left, lease, payload, head }),
};

// Hits are counted by whoever finds that what a tier holds is a hit.
const newTierCounters = () => ({ memoryHits: 0, redisHits: 0, misses: 0, redisErrors: 0, corrupt: 0 });
/** @typedef {ReturnType<typeof newTierCounters>} TierCounters */

// Of the loop, between two turns.
const MOST_MS = 4;
// A read finds, once per connection, tags whose stamps it has to wait for.
const MOST_TRIES = 4;
// What a write gives when one of its tags has changed since it was sent: nobody can be served it.
const OUTDATED_AT_ONCE = 2;
/** @type {readonly string[]} */
const NO_TAGS = [];
const NOTHING = {};

/**
 * A value, and not what became of asking for a lease.
 * @param {any} found
 */
const isHit = (found) => typeof found === 'string' || found.kind === 0 || found instanceof Uint8Array;

/** @param {unknown} result of a native operation */
const isOne = (result) => result === 1;

class TieredStore {
  #native;
  /** @type {import('../redis/link').LinkInstance | undefined} */
  #link;
  /** @type {import('../redis/client').Client | undefined} */
  client;
  #closed = false;
  /** @type {import('./write-order').WriteOrderInstance | undefined} what is written once more must not overtake what came after it */
  #order;
  #orderName;
  #space;
  #namespaces;
  /** Whether nothing is kept in memory. */
  isRemote;

  /**
   * @param {import('../cache/options').NormalCacheOptions & { space: string, namespaces: string[] }} options
   * @param {import('../redis/client').Client | undefined} client
   * @param {{ counters: TierCounters, onError: (error: Error) => void, onWatched: (key: string) => void, onReleased: (ticket: number) => void }} hooks
   *   told about what was survived; that a watched key has changed; that a lease has ended
   */
  constructor(options, client, { counters, onError, onWatched, onReleased }) {
    const { memory } = options;
    this.client = client;
    this.counters = counters;
    this.onError = onError;
    this.#link = client && linkOf(client);
    this.#orderName = `${options.server} ${options.prefix}`;
    this.#order = this.#link && acquireWriteOrder(this.#orderName);
    this.#space = options.space;
    this.isRemote = memory === undefined;
    this.#namespaces = options.namespaces;
    this.#native = binding.createStore(
      {
        prefix: options.prefix,
        space: options.space,
        namespaces: options.namespaces,
        name: options.tierName,
        memory: memory !== undefined,
        maxBytes: memory?.maxBytes ?? 65_536,
        maxEntryBytes: memory?.maxEntryBytes ?? 0,
        maxEntries: memory?.maxEntries ?? 0,
        maxStaleness: memory?.maxStaleness ?? 1000,
        stampFor: options.stampFor,
      },
      { ...factories, watched: onWatched, released: onReleased },
      this.#link?.native,
      Object.create(binding.storeMethods),
    );
    this.#link?.share();
    // On the hot path: no method call in between.
    this.peek = this.#native.peek;
    this.still = this.#native.still;
  }

  /**
   * So much more of the memory tier's budget is used by decoded values; less, when negative.
   * @param {number} bytes
   * @returns {boolean} false: it is not, those of all threads have half of the budget
   */
  reserve(bytes) {
    return this.#native.reserve(bytes);
  }

  /**
   * Drops entries whose time is over.
   * @param {number} limit
   * @returns {number} how many
   */
  expire(limit) {
    return this.#native.expire(limit);
  }

  /** Whether there is nobody but this process. */
  get local() {
    return this.#link === undefined;
  }

  /** Whether what is written now would be stored. */
  get available() {
    return this.client === undefined || this.client.status === 'ready';
  }

  /** Whether Redis is there, and has not just failed to answer. */
  get answers() {
    return this.available && !this.#link?.state.unresponsive;
  }

  /** Whether changes are announced: else those who wait have to look now and then. */
  get announced() {
    return this.#link === undefined || this.#link.state.tracking;
  }

  /**
   * What memory holds. `true`: the same fresh fill that the caller named.
   * @type {(key: string, flags: number, ahead: number, fill: number) => string | Hit | true | undefined}
   */
  peek;

  /**
   * Whether what was found there is still in memory, and fresh: then it is a hit.
   * @type {(token: number, fill: number, ahead: number) => boolean}
   */
  still;

  /**
   * The same as a whole Hit.
   * @param {string} key
   * @param {boolean} [silent] without a trace in the statistics
   * @returns {Hit | undefined}
   */
  peekWhole(key, silent = false) {
    return this.#native.peek(key, silent ? WHOLE | SILENT : WHOLE, 0, 0);
  }

  /**
   * What memory holds although nobody would tell if it had changed: better than an error.
   * @param {string} key
   * @returns {Hit | undefined}
   */
  peekDistrusted(key) {
    return this.#native.peek(key, WHOLE | SILENT | DISTRUSTED, 0, 0);
  }

  /**
   * What Redis holds. Never rejects.
   * @param {string} key
   * @param {boolean} [whole]
   * @param {boolean} [silent] without counting a miss
   * @returns {Promise<string | Buffer | Hit | undefined>} as from acquire()
   */
  async read(key, whole = false, silent = false) {
    if (!silent) this.counters.misses++;
    if (this.#link === undefined) return undefined;
    try {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const found = await this.#sent('GET', this.#native.read(key, whole ? WHOLE : 0));
        if (found === undefined) break;
        if (found === null) {
          this.corrupt(key);
          break;
        }
        if (isHit(found)) {
          if (!silent) this.counters.misses--;
          return found;
        }
      }
    } catch (error) {
      this.failed(error);
    }
    return undefined;
  }

  /**
   * Values of many keys, in one command.
   * @param {readonly string[]} keys
   * @returns {Promise<[string, string]>} a JSON array of the values that were found fresh, and per key a letter: 'h' it is the
   *   next of them, 'm' there is nothing, 'a' it has to be read by itself
   */
  readMany(keys) {
    return this.#sent('MGET', this.#native.readMany(keys));
  }

  /**
   * A value, or the lease to load it. Rejects when Redis does not answer, and throws when it cannot be asked; without Redis
   * the outcome itself, at once.
   * @param {string} key
   * @param {number} leaseFor ms
   * @param {readonly string[]} tags whole names
   * @param {number} ticket what onReleased is told, when somebody else has the lease
   * @param {boolean} whole always the whole Hit
   * @returns {any} string | Buffer | Hit | Outcome | null | undefined, or a promise of it: the payload alone, when it is
   *   fresh (a string is JSON, a Buffer MessagePack); null: something that is none of ours
   */
  acquire(key, leaseFor, tags, ticket, whole) {
    return this.#sent('GET', this.#native.acquire(key, whole ? WHOLE : 0, leaseFor, tags, ticket));
  }

  /**
   * The lease of an entry that stays readable.
   * @param {string} key
   * @param {number} leaseFor ms
   * @param {readonly string[]} tags
   * @param {number} ticket
   * @returns {Promise<Outcome>}
   */
  async refresh(key, leaseFor, tags, ticket) {
    return this.#sent('EVAL', this.#native.refresh(key, 0, leaseFor, tags, ticket));
  }

  /**
   * The lease in the place of an outdated entry.
   * @param {string} key
   * @param {number} leaseFor ms
   * @param {readonly string[]} tags
   * @param {string | Buffer} head what was found of it
   * @returns {Promise<Outcome>}
   */
  async takeOver(key, leaseFor, tags, head) {
    return this.#sent('EVAL', this.#native.takeOver(key, 0, leaseFor, tags, head));
  }

  /**
   * The lease in the place of a failure that was told to those who waited.
   * @param {string} key
   * @param {number} leaseFor ms
   * @param {readonly string[]} tags
   * @param {number} ticket
   * @param {Outcome} failure
   * @returns {Promise<Outcome>}
   */
  async takeOverFailure(key, leaseFor, tags, ticket, { head }) {
    if (head !== undefined) return this.takeOver(key, leaseFor, tags, head);
    return this.#native.acquire(key, WHOLE | OVER_FAILURE, leaseFor, tags, ticket);
  }

  /**
   * Extends a lease from now on.
   * @param {number} lease
   * @param {number} leaseFor ms
   * @returns {Promise<boolean>} false: it is lost
   */
  async renew(lease, leaseFor) {
    return (await this.#sent('EVAL', this.#native.renew(lease, leaseFor))) === 1;
  }

  /**
   * Tags that are known only after the load.
   * @param {number} lease
   * @param {readonly string[]} tags
   * @returns {Promise<boolean>} false: one of them may have changed since the load began
   */
  async addTags(lease, tags) {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const outcome = this.#native.addTags(lease, tags);
      if (outcome !== 1) return outcome === 0;
      await this.#known([...tags, 'a']);
    }
    return false;
  }

  /**
   * Ends a load with a value.
   * @param {number} lease
   * @param {Encoded} encoded
   * @param {Windows} windows
   * @param {number} loadTime ms
   * @param {string} [metadata]
   * @returns {boolean | Promise<boolean>} at once without Redis. false: the lease was lost, nothing is stored
   */
  fill(lease, { codec, payload }, { fresh, stale, keep }, loadTime, metadata = '') {
    const submitted = this.#native.fill(lease, codec, payload, metadata, fresh, stale, keep, loadTime);
    return this.#link === undefined ? submitted === 1 : this.#sent('EVAL', submitted).then(isOne);
  }

  /**
   * Ends a load without one.
   * @param {number} lease
   * @param {string | undefined} told JSON of an error, '' for a value that is not to be kept, undefined for nothing
   * @param {number} holdOff ms
   */
  async giveUp(lease, told, holdOff) {
    return (await this.#sent('EVAL', this.#native.giveUp(lease, told, holdOff))) === 1;
  }

  /** @param {number} lease */
  async held(lease) {
    return (await this.#sent('EVAL', this.#native.held(lease))) === 1;
  }

  /**
   * Whether a load that is under way may still be joined.
   * @param {number} lease
   * @returns {boolean}
   */
  current(lease) {
    return this.#native.current(lease);
  }

  /**
   * Whether any tag has changed since a load began that may compute its tags.
   * @param {number} lease
   * @returns {boolean}
   */
  anyTagChanged(lease) {
    return this.#native.anyTagChanged(lease);
  }

  /** @param {number} lease */
  drop(lease) {
    this.#native.drop(lease);
  }

  /**
   * Stores an entry in every tier. Rejects when Redis does not acknowledge it.
   * @param {string} key
   * @param {Encoded} encoded
   * @param {Windows} windows
   * @param {{ metadata?: string, tags?: readonly string[] }} [more]
   * @returns {Promise<boolean>}
   */
  store(key, encoded, windows, { metadata = '', tags = NO_TAGS } = NOTHING) {
    const order = this.#order;
    if (order === undefined) return Promise.resolve(this.storeNow(key, encoded, windows, metadata, tags));
    const whole = this.#space + key;
    const number = order.begin(whole);
    // Sent in this turn: what is called after it comes after it.
    return this.#write(key, encoded, windows, metadata, tags).then(
      (stored) => {
        if (stored === OUTDATED_AT_ONCE) {
          const isOvertaken = () => order.isOvertaken(number, whole, [...this.#namespaces, ...tags]);
          return this.#writeAgain({ key, encoded, windows, metadata, tags, isOvertaken }).finally(() =>
            order.end(whole),
          );
        }
        order.end(whole);
        return stored === 1;
      },
      (error) => {
        order.end(whole);
        throw error;
      },
    );
  }

  /**
   * @param {string} key
   * @param {Encoded} encoded
   * @param {Windows} windows
   * @param {string} metadata
   * @param {readonly string[]} tags
   * @returns {Promise<number>}
   */
  #write(key, { codec, payload }, { fresh, stale, keep }, metadata, tags) {
    try {
      return this.#sent('SET', this.#native.write(key, codec, payload, metadata, fresh, stale, keep, 0, tags));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * A tag of what was written was gone, or changed by somebody else: once more, unless something newer was called since.
   * @param {{ key: string, encoded: Encoded, windows: Windows, metadata: string, tags: readonly string[],
   *   isOvertaken: () => boolean }} write
   */
  async #writeAgain({ key, encoded, windows, metadata, tags, isOvertaken }) {
    for (let tries = 1; tries < MOST_TRIES; tries++) {
      if (isOvertaken()) return true;
      const stored = await this.#write(key, encoded, windows, metadata, tags);
      if (stored !== OUTDATED_AT_ONCE) return stored === 1;
    }
    return false;
  }

  /**
   * The same without Redis.
   * @param {string} key
   * @param {Encoded} encoded
   * @param {Windows} windows
   * @param {string} metadata
   * @param {readonly string[]} tags
   * @returns {boolean} whether memory kept it
   */
  storeNow(key, { codec, payload }, { fresh, stale, keep }, metadata, tags) {
    return this.#native.write(key, codec, payload, metadata, fresh, stale, keep, 0, tags) === 1;
  }

  /**
   * @param {string} key
   * @returns {Promise<boolean>} whether there was an entry
   */
  async remove(key) {
    this.#order?.removed(this.#space + key);
    return (await this.#sent('UNLINK', this.#native.remove(key))) > 0;
  }

  /**
   * Leaves a copy for staleIfError.
   * @param {string} key
   * @returns {Promise<boolean>} whether there was an entry
   */
  async soften(key) {
    this.#order?.removed(this.#space + key);
    return (await this.#sent('EVAL', this.#native.soften(key))) > 0;
  }

  /** @param {readonly string[]} names whole */
  async invalidateTags(names) {
    this.#order?.invalidated(names);
    await this.#sent('SET', this.#native.invalidateTags(names));
  }

  /** Whatever a pattern matches is removed from now on. */
  removesSome() {
    this.#order?.removedSome();
  }

  /**
   * From memory; without Redis, that is everywhere. A few milliseconds per turn, the first of them in this one, which
   * overtakes the loads under way.
   * @param {string} pattern
   * @param {import('./pattern-walk').PatternWalkInstance} [walk] keys that it has reached are spared
   * @returns {Promise<number>} how many there were, but for those that the walk has counted
   */
  async removeMatching(pattern, walk) {
    let removed = 0;
    for (let cursor = 0; ;) {
      if (walk?.spares) {
        await this.#removeReached(walk, cursor);
        return removed;
      }
      const step = this.#native.removeMatching(pattern, cursor);
      if (!Array.isArray(step)) return removed; // it was closed meanwhile
      removed += step[1];
      [cursor] = step;
      if (cursor < 0) return removed;
      await nextTurn();
    }
  }

  /**
   * The rest of it, key by key: the native tier spares none.
   * @param {import('./pattern-walk').PatternWalkInstance} walk
   * @param {number} from where the walk has come to
   */
  async #removeReached(walk, from) {
    for (let cursor = from; cursor >= 0;) {
      const step = this.#native.dump(cursor, false);
      if (!Array.isArray(step)) return;
      [cursor] = step;
      await nextTurn();
      let began = performance.now();
      /** @type {Array<Promise<void>>} */
      let removals = [];
      for (const [key] of entriesIn(step[1], 0)) {
        if (walk.concerns(key)) removals.push(walk.reach(key));
        if (performance.now() - began < MOST_MS) continue;
        await Promise.all(removals);
        await nextTurn();
        removals = [];
        began = performance.now();
      }
      await Promise.all(removals);
    }
  }

  /** All that memory holds, whatever namespace it is of. */
  clearMemory() {
    this.#native.clearMemory();
  }

  /** @param {string} key */
  forget(key) {
    this.#native.forget(key);
  }

  /** @param {string} key */
  unwatch(key) {
    if (this.#link !== undefined) this.#native.unwatch(key);
  }

  /**
   * Gives back an entry that carries the tag, with another stamp than this one.
   * @param {string} key with its space
   * @param {string} name of the tag, whole
   * @param {Buffer} stamp
   * @returns {Promise<number>}
   */
  async sweep(key, name, stamp) {
    return this.#sent('EVAL', this.#native.sweep(key, name, stamp));
  }

  /**
   * The stamp of a tag; undefined when it cannot be had.
   * @param {string} name whole
   * @returns {Promise<Buffer | undefined>}
   */
  async stampOf(name) {
    await this.#known([name]);
    return this.#native.stampOf(name);
  }

  /**
   * Bytes that are no entry of ours.
   * @param {string} key
   */
  corrupt(key) {
    this.counters.corrupt++;
    this.onError(new RedisError('CORRUPT_ENTRY', `what is stored under '${key}' is no entry of this cache`));
  }

  /** @param {unknown} error */
  failed(error) {
    this.counters.redisErrors++;
    this.onError(/** @type {Error} */ (error));
  }

  memoryStats() {
    return this.#native.memoryStats() ?? null;
  }

  /**
   * What memory holds, a few milliseconds per turn.
   * @param {boolean} whole with the envelopes; else keys alone
   * @returns {AsyncGenerator<Buffer>} per entry u32 length and key, u32 length and envelope
   */
  async *dump(whole) {
    for (let cursor = 0; ;) {
      const step = this.#native.dump(cursor, whole);
      if (!Array.isArray(step)) return;
      if (step[1].length > 0) yield step[1];
      [cursor] = step;
      if (cursor < 0) return;
      await nextTurn();
    }
  }

  /**
   * @param {string} key
   * @param {Buffer} envelope
   * @param {number} elapsed ms since the dump
   * @param {number} maxTtl ms
   * @returns {boolean} whether it was kept
   */
  load(key, envelope, elapsed, maxTtl) {
    return this.#native.load(key, envelope, elapsed, maxTtl) === 1;
  }

  resetStats() {
    Object.assign(this.counters, newTierCounters());
    this.#native.resetStats();
  }

  close() {
    if (!this.#closed && this.#link !== undefined) {
      this.#link.unshare();
      releaseWriteOrder(this.#orderName);
    }
    this.#closed = true;
    this.#native.close();
  }

  /**
   * Waits until the stamps of these tags are known.
   * @param {readonly string[]} tags
   */
  async #known(tags) {
    // One may change again before we are told that all are known.
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const outcome = this.#native.prepare(tags);
      if (outcome === null) return;
      await this.#sent('GET', outcome);
    }
  }

  /**
   * The answer to what was just submitted.
   * @param {string} command
   * @param {any} outcome of submitting it: undefined, or why it was refused; without Redis the answer itself
   */
  #sent(command, outcome) {
    if (this.#link === undefined) return outcome;
    if (outcome === undefined) return this.#link.reply(command);
    const { reason } = this.#link.state;
    if (outcome === 4) throw new RedisError('TOO_LARGE', `${command}: too large to be sent`, command);
    throw new RedisError('UNAVAILABLE', `${command}: Redis is not available${reason ? `: ${reason}` : ''}`, command);
  }
}

/** @typedef {TieredStore} TieredStoreInstance */

module.exports = {
  newTierCounters,
  TieredStore,
  isHit,
  FRESH,
  STALE,
  STALE_ERROR,
  AHEAD,
  OUTDATED,
  AGAIN,
  LEASED,
  BUSY,
  FAILED,
  UNCACHEABLE,
};
