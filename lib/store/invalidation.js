'use strict';
// Everything that makes entries invalid: keys, tags, patterns, a namespace. Each is acknowledged by Redis, or rejected
// and remembered until it can be carried out.
const { CacheUnavailableError } = require('../errors');
const { escapePattern } = require('../keys/glob');
const { pagesOfKeys } = require('../redis/scan');
const { PatternWalk } = require('./pattern-walk');
const { PendingInvalidations } = require('./pending-invalidations');
const { Sweeper } = require('./cleanup');

const SCAN_COUNT = 1000;

/** @typedef {import('./tiered-store').TieredStoreInstance} TieredStore */

/** @typedef {import('./types').Overtake} Overtake */

/** @typedef {import('../redis/client').Client} Client */

class Invalidation {
  #tiers;
  #overtake;
  #tell;
  #prefix;
  #space;
  #namespaceTag;
  #sweeper;
  /** @type {Invalidation | undefined} */
  #parent;
  /** @type {Set<Invalidation>} */
  #children = new Set();
  /** @type {Set<Promise<unknown>>} */
  #background = new Set();
  #sweeping = false;
  #sweepsAgain = false;

  /**
   * @param {object} parts
   * @param {TieredStore} parts.tiers
   * @param {Overtake} parts.overtake
   * @param {(name: string, details: any) => void} parts.tell
   * @param {string} parts.prefix of every key in Redis
   * @param {string} parts.space of the keys of this cache, behind the prefix
   * @param {string} parts.namespaceTag whose change clears this cache
   * @param {{ deletes: number, invalidations: number }} parts.counters
   * @param {Invalidation} [parts.parent] of the cache whose namespace this one is
   */
  constructor({ tiers, overtake, tell, prefix, space, namespaceTag, counters, parent }) {
    this.#tiers = tiers;
    this.#overtake = overtake;
    this.#tell = tell;
    this.#prefix = prefix;
    this.#space = space;
    this.#namespaceTag = namespaceTag;
    this.counters = counters;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.add(this);
    this.#sweeper = new Sweeper(tiers, prefix);
    this.pending = new PendingInvalidations(
      {
        remove: (key) => tiers.remove(key),
        tags: (names) => tiers.invalidateTags(names),
        pattern: (pattern) => this.#removePattern(this.#walkOf(pattern), pattern),
        clear: () => tiers.invalidateTags([namespaceTag]),
      },
      (event, count) => tell(`cache:${event}`, { count }),
      { parent: parent?.pending },
    );
  }

  /**
   * @param {string} key
   * @param {boolean} soft leave a copy for staleIfError
   * @returns {Promise<boolean>} whether there was an entry
   */
  async key(key, soft) {
    const removed = await this.#acknowledged(
      `the removal of '${key}'`,
      () => this.#overtake.key(key),
      () => (soft ? this.#tiers.soften(key) : this.#tiers.remove(key)),
      () => this.pending.addKey(key),
    );
    if (removed) this.counters.deletes++;
    this.#tell('cache:invalidate', { keys: [key] });
    return removed;
  }

  /**
   * @param {readonly string[]} keys
   * @returns {Promise<number>} how many there were
   */
  async keys(keys) {
    const removed = await Promise.all(
      keys.map(async (key) => {
        const had = await this.#acknowledged(
          `the removal of '${key}'`,
          () => this.#overtake.key(key),
          () => this.#tiers.remove(key),
          () => this.pending.addKey(key),
        );
        if (had) this.counters.deletes++;
        return had;
      }),
    );
    this.#tell('cache:invalidate', { keys: [...keys] });
    return removed.filter(Boolean).length;
  }

  /** @param {readonly string[]} names whole */
  async tags(names) {
    if (names.length === 0) return;
    this.counters.invalidations++;
    await this.#acknowledged(
      `the invalidation of ${names.length === 1 ? `the tag '${names[0].slice(2)}'` : `${names.length} tags`}`,
      () => this.#overtakeTags(new Set(names)),
      () => this.#tiers.invalidateTags(names),
      () => this.pending.addTags(names),
    );
    this.#tell('cache:invalidate', { tags: names.map((name) => name.slice(2)) });
    if (!this.#tiers.local) this.#inBackground(Promise.all(names.map((name) => this.#sweeper.tag(name))));
  }

  /**
   * Tags are common to all namespaces.
   * @param {Set<string>} names
   */
  #overtakeTags(names) {
    if (this.#parent !== undefined) this.#parent.#overtakeTags(names);
    else this.#overtakeTagsBelow(names);
  }

  /** @param {Set<string>} names */
  #overtakeTagsBelow(names) {
    this.#overtake.tagged(names);
    for (const child of this.#children) child.#overtakeTagsBelow(names);
  }

  /**
   * @param {string} pattern
   * @returns {Promise<number>} how many there were
   */
  async pattern(pattern) {
    this.counters.invalidations++;
    const walk = this.#walkOf(pattern);
    const count = await this.#acknowledged(
      `the invalidation of '${pattern}'`,
      () => this.#overtake.matching((key) => walk.matches(key)),
      () => this.#removePattern(walk, pattern),
      () => this.pending.addPattern(pattern),
    );
    this.#tell('cache:invalidate', { pattern, count });
    return count;
  }

  /** Everything in this cache, in one step. */
  async clear() {
    this.counters.invalidations++;
    await this.#acknowledged(
      'the invalidation of the namespace',
      () => this.#overtakeAll(),
      async () => {
        const invalid = this.#tiers.invalidateTags([this.#namespaceTag]);
        // In this turn: what is stored from now on stays.
        const emptied = this.#tiers.local ? this.#emptyMemory() : undefined;
        await invalid;
        await emptied;
      },
      () => this.pending.addAll(),
    );
    this.#tell('cache:invalidate', { all: true });
    if (!this.#tiers.local) this.#inBackground(this.#sweepAll());
  }

  /** Entries that are invalid already: gives their memory back. */
  async #emptyMemory() {
    if (this.#parent === undefined) this.#tiers.clearMemory();
    else await this.#removePattern(this.#walkOf('*'), '*');
  }

  // A sweep looks at the whole database: one at a time, and once more when it was asked for meanwhile.
  async #sweepAll() {
    if (this.#sweeping) {
      this.#sweepsAgain = true;
      return;
    }
    this.#sweeping = true;
    try {
      do {
        this.#sweepsAgain = false;
        await this.#sweeper.namespace(this.#namespaceTag, `${escapePattern(this.#prefix + this.#space)}*`);
      } while (this.#sweepsAgain);
    } finally {
      this.#sweeping = false;
    }
  }

  #overtakeAll() {
    this.#overtake.matching(() => true);
    for (const child of this.#children) child.#overtakeAll();
  }

  /**
   * The removal of a key, which is carried out before the next read of it.
   * @param {string} key
   */
  remember(key) {
    this.#overtake.key(key);
    this.pending.addKey(key);
  }

  get isIdle() {
    return this.#background.size === 0 && this.#children.size === 0;
  }

  leaveParent() {
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
  }

  /** What happens in the background has ended, or is given up. */
  async close() {
    this.pending.close();
    this.#sweeper.stop();
    await Promise.allSettled(this.#background);
    this.leaveParent();
  }

  /**
   * @template T
   * @param {string} what
   * @param {() => void} overtake the loads under way
   * @param {() => Promise<T>} work
   * @param {() => void} remember
   * @returns {Promise<T>}
   */
  async #acknowledged(what, overtake, work, remember) {
    overtake();
    try {
      return await work();
    } catch (error) {
      this.#tiers.counters.redisErrors++;
      // Once more: what has begun since was in front of a change that did not take place, and may be reading the old value.
      overtake();
      remember();
      const { message } = /** @type {Error} */ (error);
      throw new CacheUnavailableError(`${what} was not acknowledged by Redis, and is tried again: ${message}`, {
        cause: error,
      });
    }
  }

  /** @param {string} pattern */
  #walkOf(pattern) {
    return new PatternWalk(pattern, (key) => this.#tiers.remove(key));
  }

  /**
   * @param {import('./pattern-walk').PatternWalkInstance} walk
   * @param {string} pattern
   * @returns {Promise<number>}
   */
  async #removePattern(walk, pattern) {
    this.pending.beginWalk(walk);
    try {
      this.#tiers.removesSome();
      const removed = this.#tiers.local
        ? await this.#tiers.removeMatching(pattern, walk)
        : await this.#removeFromRedis(walk, pattern);
      await walk.end();
      return removed + walk.removed;
    } finally {
      this.pending.endWalk(walk);
    }
  }

  /**
   * SCAN sees every key that is there all the time, and so the marker of every load that is under way.
   * @param {import('./pattern-walk').PatternWalkInstance} walk
   * @param {string} pattern
   * @returns {Promise<0>} the walk counts
   */
  async #removeFromRedis(walk, pattern) {
    const { client } = this.#tiers;
    const fromMemory = this.#tiers.removeMatching(pattern);
    const whole = escapePattern(this.#prefix + this.#space);
    const skip = this.#prefix.length + this.#space.length;
    for await (const keys of pagesOfKeys(/** @type {Client} */ (client), whole + pattern, SCAN_COUNT)) {
      await Promise.all(keys.map((key) => walk.reach(key.slice(skip))));
    }
    // What other threads have read on the way is older than this.
    await fromMemory;
    await this.#tiers.removeMatching(pattern);
    return 0;
  }

  /** @param {Promise<unknown>} work */
  #inBackground(work) {
    const settled = work.catch((error) => this.#tiers.failed(error)).finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }
}

/** @typedef {Invalidation} InvalidationInstance */

module.exports = { Invalidation };
