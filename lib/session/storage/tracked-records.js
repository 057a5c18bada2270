'use strict';
// Records in Redis that were read a moment ago, in memory: for `memory: true`. The connection is told of every change of what
// it has read (client tracking), in order with the replies.
const { RedisRecords } = require('./redis-records');
const { linkOf } = require('../../redis/link');

const MOST_BYTES = 32 * 1024 * 1024;
// What changes is announced, and so is what expires, when the server comes to remove it.
const LONGEST_MS = 10_000;

class TrackedRecords extends RedisRecords {
  /** The least recently used first. @type {Map<string, { value: any, binary: boolean, until: number, size: number }>} */
  #kept = new Map();
  #bytes = 0;
  /** Reads under way, each voided by whatever changes its key meanwhile. @type {Map<string, object>} */
  #reading = new Map();

  /**
   * @param {import('../../redis/client').Client} client of its own
   * @param {{ owned: boolean, onState?: (connected: boolean) => void }} options
   */
  constructor(client, options) {
    super(client, options);
    linkOf(client).track((key) => this.#changed(key));
  }

  /** @param {string} key '' for all of them */
  #changed(key) {
    if (key !== '') return this.#forget(key);
    this.#kept.clear();
    this.#reading.clear();
    this.#bytes = 0;
    return undefined;
  }

  /** @param {string} key */
  #forget(key) {
    this.#reading.delete(key);
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= kept.size;
  }

  /** Whether the connection would tell. */
  #isTold() {
    const { tracking, unresponsive } = linkOf(this.client).state;
    return tracking && !unresponsive;
  }

  /**
   * @param {string} key
   * @param {boolean} [binary]
   * @returns {Promise<any>}
   */
  get(key, binary = false) {
    const told = this.#isTold();
    const kept = this.#kept.get(key);
    if (told && kept !== undefined && kept.binary === binary && kept.until > performance.now()) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return Promise.resolve(kept.value);
    }
    if (!told) return super.get(key, binary);
    const ticket = {};
    this.#reading.set(key, ticket);
    return super.get(key, binary).then(
      (value) => {
        if (this.#reading.get(key) === ticket) this.#keep(key, value, binary);
        return value;
      },
      (error) => {
        if (this.#reading.get(key) === ticket) this.#reading.delete(key);
        throw error;
      },
    );
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {boolean} binary
   */
  #keep(key, value, binary) {
    this.#forget(key);
    if (value === null) return;
    const size = key.length + value.length;
    this.#kept.set(key, { value, binary, until: performance.now() + LONGEST_MS, size });
    this.#bytes += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#forget(oldest);
    }
  }

  // What this process changes it does not read from memory any more, whatever becomes of the change.

  /**
   * @param {string} key
   * @param {import('./redis-records').Value} value
   * @param {number} ms
   */
  put(key, value, ms) {
    this.#forget(key);
    return super.put(key, value, ms);
  }

  /**
   * @param {string} key
   * @param {import('./redis-records').Value} value
   * @param {number} ms
   */
  replace(key, value, ms) {
    this.#forget(key);
    return super.replace(key, value, ms);
  }

  /**
   * @param {string} key
   * @param {import('./redis-records').Value} mark
   * @param {boolean} whole
   * @param {import('./redis-records').Value} value
   * @param {number} ms
   * @param {boolean} [binary]
   */
  swap(key, mark, whole, value, ms, binary) {
    this.#forget(key);
    return super.swap(key, mark, whole, value, ms, binary);
  }

  /**
   * @param {import('./scripts').Patch} patch
   * @param {string} key
   * @param {import('./redis-records').Value} bytes
   * @param {number} ms
   * @param {string | undefined} only
   * @param {(answer: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  patchThen(patch, key, bytes, ms, only, resolve, reject) {
    this.#forget(key);
    super.patchThen(patch, key, bytes, ms, only, resolve, reject);
  }

  /**
   * @param {string} key
   * @param {number} ms
   */
  expire(key, ms) {
    this.#forget(key);
    return super.expire(key, ms);
  }

  /** @param {string} key */
  remove(key) {
    this.#forget(key);
    return super.remove(key);
  }

  /** @param {readonly string[]} keys */
  removeMany(keys) {
    for (const key of keys) this.#forget(key);
    return super.removeMany(keys);
  }
}

module.exports = { TrackedRecords };
