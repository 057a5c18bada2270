'use strict';
// Invalidations that Redis has not acknowledged: remembered, and replayed before anything that they concern is read
// again. Bounded: when there are too many, one change of the namespace stands for all of them.
const MOST = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1000;
const { clearTimeout, setTimeout } = require('../timers');

/** @typedef {import('./types').Run} Run */

class PendingInvalidations {
  #run;
  #onChange;
  #parent;
  // Each with the number of the last time that it was added: what is added again while it is carried out stays.
  /** @type {Map<string, number>} */
  #keys = new Map();
  /** @type {Map<string, number>} */
  #tags = new Map();
  /** @type {Map<string, number>} */
  #patterns = new Map();
  /** @type {Set<import('./pattern-walk').PatternWalkInstance>} patterns that are being carried out */
  #walks = new Set();
  // Keys that are being written: their removal would take what is newer.
  /** @type {Map<string, number>} how many writes */
  #overtaking = new Map();
  #all = 0; // that number, 0 for none
  #lastAdded = 0;
  /** @type {Promise<boolean> | undefined} */
  #flushing = undefined;
  /** @type {NodeJS.Timeout | undefined} */
  #timer = undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;
  #some = false;
  #most;

  /**
   * @param {Run} run
   * @param {(event: 'pending' | 'replayed', count: number) => void} onChange
   * @param {{ most?: number, parent?: PendingInvalidations }} [options] parent: of the cache whose namespace this one is
   */
  constructor(run, onChange, { most = MOST, parent } = {}) {
    this.#run = run;
    this.#onChange = onChange;
    this.#most = most;
    this.#parent = parent;
  }

  /**
   * Whether there is any: for the way of every read.
   * @returns {boolean}
   */
  get any() {
    return this.#some || (this.#parent !== undefined && this.#parent.any);
  }

  /** Whether there are any of this cache itself, or a write that stands for one. */
  get hasOwn() {
    return this.#own > 0 || this.#walks.size > 0 || this.#overtaking.size > 0 || this.#flushing !== undefined;
  }

  /** How many there are that may concern this cache. */
  get size() {
    return this.#own + (this.#parent?.inherited ?? 0);
  }

  get #own() {
    return this.#keys.size + this.#tags.size + this.#patterns.size + (this.#all > 0 ? 1 : 0);
  }

  /**
   * How many there are that may concern the namespaces of this cache: not its keys, nor patterns of them.
   * @returns {number}
   */
  get inherited() {
    return this.#tags.size + (this.#all > 0 ? 1 : 0) + (this.#parent?.inherited ?? 0);
  }

  /** @param {string} key */
  addKey(key) {
    this.#add(this.#keys, [key]);
  }

  /** @param {readonly string[]} names */
  addTags(names) {
    // Every namespace may have entries with them.
    if (this.#parent !== undefined) this.#parent.addTags(names);
    else this.#add(this.#tags, names);
  }

  /** @param {string} pattern */
  addPattern(pattern) {
    this.#add(this.#patterns, [pattern]);
  }

  /**
   * Until end() of the walk, keys that it concerns are not read or written before they are removed.
   * @param {import('./pattern-walk').PatternWalkInstance} walk
   */
  beginWalk(walk) {
    this.#walks.add(walk);
    this.#some = true;
  }

  /** @param {import('./pattern-walk').PatternWalkInstance} walk */
  endWalk(walk) {
    this.#walks.delete(walk);
    if (this.#own === 0) this.#emptied();
  }

  /**
   * What is sent for the key from now on comes behind the patterns that are being carried out.
   * @param {string} key
   */
  passWalks(key) {
    for (const walk of this.#walks) walk.reachEarly(key);
  }

  addAll() {
    this.#all = ++this.#lastAdded;
    this.#keys.clear();
    this.#tags.clear();
    this.#patterns.clear();
    this.#added();
  }

  /**
   * Whether nothing that is pending concerns the key, any more. Tries to carry it out first.
   * @param {string} key
   * @returns {Promise<boolean>}
   */
  async flushFor(key) {
    this.passWalks(key);
    if (!this.blocks(key)) return true;
    await this.flush();
    return !this.blocks(key);
  }

  /**
   * A tag, a pattern or a namespace may concern any key.
   * @param {string} key
   * @returns {boolean}
   */
  blocks(key) {
    if (this.#all > 0 || this.#tags.size > 0 || this.#patterns.size > 0 || this.#keys.has(key)) return true;
    for (const walk of this.#walks) if (walk.concerns(key)) return true;
    return this.#parent !== undefined && this.#parent.inherited > 0;
  }

  /**
   * A write of a key comes behind what is pending, and stands for the removal of that key.
   * @template T
   * @param {string} key
   * @param {() => Promise<T>} write rejects when it was not acknowledged
   * @returns {Promise<T>}
   */
  async writeBehind(key, write) {
    await this.flushFor(key);
    const added = this.#keys.get(key);
    if (added === undefined) return await write();
    this.#overtaking.set(key, (this.#overtaking.get(key) ?? 0) + 1);
    try {
      const written = await write();
      if (this.#keys.get(key) === added) this.#keys.delete(key);
      if (this.#own === 0) this.#emptied();
      return written;
    } finally {
      const others = /** @type {number} */ (this.#overtaking.get(key)) - 1;
      if (others > 0) this.#overtaking.set(key, others);
      else this.#overtaking.delete(key);
    }
  }

  /** @returns {Promise<boolean>} whether nothing is left */
  async flush() {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    const [own, inherited] = await Promise.all([this.#flushing, this.#parent?.flush() ?? true]);
    return own && inherited;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #flush() {
    if (this.#own === 0 || this.#closed) return true;
    /** @type {Array<Promise<unknown>>} */
    const jobs = [];
    let replayed = 0;
    const attempt = (/** @type {() => Promise<unknown>} */ work, /** @type {() => void} */ done) => {
      jobs.push(work().then(done, () => {}));
    };
    const done = (/** @type {Map<string, number>} */ pending, /** @type {Array<[string, number]>} */ added) => {
      for (const [name, number] of added) {
        if (pending.get(name) === number && pending.delete(name)) replayed++;
      }
    };
    const all = this.#all;
    const clear = () => {
      if (this.#all !== all) return;
      this.#all = 0;
      replayed++;
    };
    if (all > 0) attempt(() => this.#run.clear(), clear);
    for (const added of [...this.#keys]) {
      if (this.#overtaking.has(added[0])) continue;
      attempt(
        () => this.#run.remove(added[0]),
        () => done(this.#keys, [added]),
      );
    }
    const tags = [...this.#tags];
    if (tags.length > 0) {
      attempt(
        () => this.#run.tags(tags.map(([name]) => name)),
        () => done(this.#tags, tags),
      );
    }
    for (const added of [...this.#patterns]) {
      attempt(
        () => this.#run.pattern(added[0]),
        () => done(this.#patterns, [added]),
      );
    }
    await Promise.all(jobs);
    if (replayed > 0) {
      this.#retryMs = FIRST_RETRY_MS;
      this.#onChange('replayed', replayed);
    }
    if (this.#own > 0) {
      this.#later();
      return false;
    }
    this.#emptied();
    return true;
  }

  #emptied() {
    this.#some = this.#walks.size > 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * @param {Map<string, number>} pending
   * @param {readonly string[]} names
   */
  #add(pending, names) {
    // It is part of what is pending already; but that may be under way, and then has to be carried out once more.
    if (this.#all > 0) this.#all = ++this.#lastAdded;
    else for (const name of names) pending.set(name, ++this.#lastAdded);
    this.#added();
  }

  #added() {
    this.#some = true;
    if (this.#own > this.#most) {
      this.addAll();
      return;
    }
    this.#onChange('pending', this.size);
    this.#later();
  }

  // The connection tells when it is back; a server that answers with an error, or too late, does not.
  #later() {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      void this.flush();
    }, this.#retryMs);
    this.#timer.unref();
  }
}

/** @typedef {PendingInvalidations} PendingInvalidationsInstance */

module.exports = { PendingInvalidations };
