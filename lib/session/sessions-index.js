'use strict';
// The list of a user's sessions: for showing them, and for giving back their memory. Nothing depends on it being complete.
// Members expire with their sessions: every writing drops those whose time is over, and the whole list has an expiry.

// ARGV: now, the end of the session, its handle, how long the list has to live at least.
const ADD = `redis.call('ZREMRANGEBYSCORE',KEYS[1],'-inf',ARGV[1])
redis.call('ZADD',KEYS[1],ARGV[2],ARGV[3])
if redis.call('PTTL',KEYS[1])<tonumber(ARGV[4]) then redis.call('PEXPIRE',KEYS[1],ARGV[4]) end
return 1`;

/**
 * @typedef {object} UserIndex
 * @property {(key: string, member: string, end: number) => Promise<unknown>} add or changes its end
 * @property {(key: string, members: readonly string[]) => Promise<unknown>} remove
 * @property {(key: string) => Promise<string[]>} members
 */

/** @implements {UserIndex} */
class RedisIndex {
  #records;
  #client;
  #add;

  /**
   * @param {import('./records').Records} records
   * @param {import('../redis/client').Client} client
   */
  constructor(records, client) {
    this.#records = records;
    this.#client = client;
    this.#add = client.script(ADD);
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

/** Without Redis: a record of its own, an object of ends by member. @implements {UserIndex} */
class MemoryIndex {
  #records;

  /** @param {import('./records').Records} records */
  constructor(records) {
    this.#records = records;
  }

  /**
   * @param {string} key
   * @param {string} member
   * @param {number} end
   */
  add(key, member, end) {
    return this.#change(key, (ends) => ends.set(member, end));
  }

  /**
   * @param {string} key
   * @param {readonly string[]} members
   */
  remove(key, members) {
    return this.#change(key, (ends) => members.forEach((member) => ends.delete(member)));
  }

  /** @param {string} key */
  async members(key) {
    return [...live(await this.#records.get(key)).keys()];
  }

  /**
   * @param {string} key
   * @param {(ends: Map<string, number>) => unknown} change
   */
  async #change(key, change) {
    for (;;) {
      const text = await this.#records.get(key);
      const ends = live(text);
      change(ends);
      if (ends.size === 0 && text === null) return;
      const next = JSON.stringify([...ends]);
      // An empty one ends at once: removing it could take what somebody has added meanwhile.
      const ms = [...ends.values()].reduce((longest, end) => Math.max(longest, end - Date.now()), 1);
      const written =
        text === null
          ? await this.#records.add(key, next, ms)
          : (await this.#records.swap(key, text, true, next, ms)) === 1;
      if (written) return;
    }
  }
}

/**
 * @param {string | null} text
 * @returns {Map<string, number>} those whose time is not over
 */
function live(text) {
  const now = Date.now();
  return new Map(text === null ? [] : JSON.parse(text).filter((/** @type {[string, number]} */ [, end]) => end > now));
}

/**
 * @param {import('./records').Records} records
 * @returns {UserIndex}
 */
function openIndex(records) {
  const { client } = records;
  return client === undefined ? new MemoryIndex(records) : new RedisIndex(records, client);
}

module.exports = { openIndex };
