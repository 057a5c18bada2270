'use strict';
// The list of a user's sessions: for showing them, and for giving back their memory. Nothing depends on it being complete.
// Members expire with their sessions: every writing drops those whose time is over, and the whole list has an expiry.
const { nextTurn } = require('../../timers');
const { ADD_TO_INDEX } = require('../storage/scripts');

/** @typedef {import('../types').UserIndex} UserIndex */

/** @implements {UserIndex} */
class RedisIndex {
  #records;
  #client;
  #add;

  /**
   * @param {import('../storage/redis-records').Records} records
   * @param {import('../../redis/client').Client} client
   */
  constructor(records, client) {
    this.#records = records;
    this.#client = client;
    this.#add = client.script(ADD_TO_INDEX);
  }

  /**
   * @param {string} key
   * @param {string} member
   * @param {number} end
   */
  async add(key, member, end) {
    const now = Date.now();
    return this.#records.refused() ?? this.#add([key], [now, end, member, Math.max(1, end - now)]);
  }

  /**
   * @param {string} key
   * @param {readonly string[]} members
   */
  async remove(key, members) {
    if (members.length === 0) return undefined;
    return this.#records.refused() ?? this.#client.call('ZREM', key, ...members);
  }

  /**
   * @param {string} key
   * @returns {Promise<string[]>}
   */
  async members(key) {
    return this.#records.refused() ?? this.#client.call('ZRANGEBYSCORE', key, `(${Date.now()}`, '+inf');
  }
}

// In one turn of the loop.
const AT_ONCE = 5000;

/** Without Redis: a Map of ends by member for every user. @implements {UserIndex} */
class MemoryIndex {
  /** @type {Map<string, { ends: Map<string, number>, sweep?: MapIterator<[string, number]> }>} */
  #lists = new Map();
  /** @type {MapIterator<string> | undefined} where the sweep goes on */
  #sweep;

  /**
   * @param {string} key
   * @param {string} member
   * @param {number} end
   */
  async add(key, member, end) {
    let list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, (list = { ends: new Map() }));
    list.ends.set(member, end);
    this.#dropOver(key);
    this.#sweepNext();
  }

  /**
   * @param {string} key
   * @param {readonly string[]} members
   */
  async remove(key, members) {
    const ends = this.#lists.get(key)?.ends;
    if (ends === undefined) return;
    for (const member of members) ends.delete(member);
    if (ends.size === 0) this.#lists.delete(key);
  }

  /** @param {string} key */
  async members(key) {
    /** @type {string[]} */
    const members = [];
    let looked = 0;
    for (const [member, end] of this.#lists.get(key)?.ends ?? []) {
      if (end > Date.now()) members.push(member);
      if (++looked % AT_ONCE === 0) await nextTurn();
    }
    return members;
  }

  /**
   * Looks at the next two of a list: those whose time is over never pile up.
   * @param {string} key
   */
  #dropOver(key) {
    const list = this.#lists.get(key);
    if (list === undefined) return;
    for (let i = 0; i < 2; i++) {
      list.sweep ??= list.ends.entries();
      const { value, done } = list.sweep.next();
      if (done) list.sweep = undefined;
      else if (value[1] <= Date.now()) list.ends.delete(value[0]);
    }
    if (list.ends.size === 0) this.#lists.delete(key);
  }

  /** The lists of users who do not come back: two of them for each session that begins. */
  #sweepNext() {
    for (let i = 0; i < 2; i++) {
      this.#sweep ??= this.#lists.keys();
      const { value: key, done } = this.#sweep.next();
      if (done) this.#sweep = undefined;
      else this.#dropOver(key);
    }
  }
}

/** @type {WeakMap<object, MemoryIndex>} */
const known = new WeakMap();

/**
 * @param {import('../storage/redis-records').Records} records
 * @returns {UserIndex}
 */
function openIndex(records) {
  const { client } = records;
  if (client !== undefined) return new RedisIndex(records, client);
  // One for all who use these records.
  let index = known.get(records);
  if (index === undefined) known.set(records, (index = new MemoryIndex()));
  return index;
}

module.exports = { openIndex };
