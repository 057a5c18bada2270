'use strict';
// The listings of a store: SCAN in steps, and what it finds in batches so small that Redis serves others in between.

// Redis serves nobody else meanwhile: as many as make this many bytes, by the size of the last ones.
const READ_BYTES = 65_536;
const READ_AT_FIRST = 8;
const MOST_READ = 100;
const REMOVE_AT_ONCE = 100;

class Listing {
  #records;
  #prefix;
  #scanCount;
  #binary;
  #read;

  /**
   * @param {import('../storage/redis-records').Records} records
   * @param {import('./store-options').StoreOptions} options
   * @param {boolean} binary whether records are bytes
   * @param {(name: string, value: any) => Promise<any>} read null for what is no session
   */
  constructor(records, { prefix, scanCount }, binary, read) {
    this.#records = records;
    this.#prefix = prefix;
    this.#scanCount = scanCount;
    this.#binary = binary;
    this.#read = read;
  }

  /**
   * The names of all sessions, in batches, each once.
   * @returns {AsyncGenerator<string[]>}
   */
  async *names() {
    const prefix = this.#prefix;
    const known = new Set();
    for await (const keys of this.#records.keys(prefix, this.#scanCount)) {
      const fresh = [];
      for (const key of keys) {
        if (known.has(key)) continue;
        known.add(key);
        fresh.push(key.slice(prefix.length));
      }
      yield fresh;
    }
  }

  async ids() {
    const ids = [];
    for await (const names of this.names()) for (const name of names) ids.push(name);
    return ids;
  }

  async length() {
    let length = 0;
    for await (const names of this.names()) length += names.length;
    return length;
  }

  async all() {
    /** @type {any[]} */
    const sessions = [];
    let atOnce = READ_AT_FIRST;
    for await (const names of this.names()) {
      for (let at = 0; at < names.length;) {
        const some = names.slice(at, (at += atOnce));
        const values = await this.#records.getMany(
          some.map((name) => this.#prefix + name),
          this.#binary,
        );
        let size = 0;
        for (const [i, value] of values.entries()) {
          size += value?.length ?? 0;
          const session = await this.#read(some[i], value);
          if (session !== null) sessions.push(session);
        }
        atOnce = Math.max(1, Math.min(MOST_READ, Math.floor((READ_BYTES * some.length) / size)));
      }
    }
    return sessions;
  }

  async clear() {
    for await (const names of this.names()) {
      for (let at = 0; at < names.length; at += REMOVE_AT_ONCE) {
        const some = names.slice(at, at + REMOVE_AT_ONCE);
        await this.#records.removeMany(some.map((name) => this.#prefix + name));
      }
    }
  }
}

module.exports = { Listing };
