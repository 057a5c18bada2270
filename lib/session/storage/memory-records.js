'use strict';
// Records without Redis: the same operations as in records.js, in a Map of this thread, one for each cache. Not in the
// cache's own memory tier, which may evict an entry, or not admit it: nobody is logged out for want of room.
const { clearInterval, nextTurn, setInterval } = require('../../timers');

const SWEEP_MS = 60_000;
const SWEPT_AT_ONCE = 10_000;
const NEVER = Infinity;
const now = () => Date.now();

/** @typedef {string | Buffer} Value */

/** @param {Value} value */
const bytesOf = (value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
/** @param {Value} value */
const textOf = (value) => (typeof value === 'string' ? value : value.toString('utf8'));

/**
 * @param {Value} value
 * @param {Value} mark
 */
function beginsWith(value, mark) {
  if (typeof value === 'string' && typeof mark === 'string') return value.startsWith(mark);
  const bytes = bytesOf(value);
  const expected = bytesOf(mark);
  return bytes.length >= expected.length && bytes.subarray(0, expected.length).equals(expected);
}

class MemoryRecords {
  /** @type {Map<string, { value: Value, end: number }>} */
  #records = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  client = undefined;

  get shared() {
    return false;
  }

  refused() {
    return undefined;
  }

  noteError() {}

  /** @param {string} key */
  #find(key) {
    const record = this.#records.get(key);
    if (record === undefined || record.end > now()) return record;
    this.#records.delete(key);
    return undefined;
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   */
  #store(key, value, ms) {
    this.#records.set(key, { value: typeof value === 'string' ? value : Buffer.from(value), end: endAfter(ms) });
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  async #sweep() {
    const time = now();
    let looks = 0;
    for (const [key, { end }] of this.#records) {
      if (end <= time) this.#records.delete(key);
      // Others shall have their turn.
      if (++looks % SWEPT_AT_ONCE === 0) await nextTurn();
    }
    if (this.#records.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * @param {string} key
   * @param {boolean} [binary]
   * @returns {Promise<any>}
   */
  async get(key, binary = false) {
    return this.#read(key, binary);
  }

  /**
   * @param {string} key
   * @param {boolean} binary
   */
  #read(key, binary) {
    const record = this.#find(key);
    if (record === undefined) return null;
    return binary ? bytesOf(record.value) : textOf(record.value);
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   */
  async put(key, value, ms) {
    this.#store(key, value, ms);
    return 'OK';
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   */
  async add(key, value, ms) {
    if (this.#find(key) !== undefined) return false;
    this.#store(key, value, ms);
    return true;
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   */
  async replace(key, value, ms) {
    if (this.#find(key) === undefined) return false;
    this.#store(key, value, ms);
    return true;
  }

  /**
   * @param {string} key
   * @param {Value} mark
   * @param {boolean} whole
   * @param {Value} value
   * @param {number} ms
   * @param {boolean} [binary]
   * @returns {Promise<any>}
   */
  async swap(key, mark, whole, value, ms, binary = false) {
    const record = this.#find(key);
    if (record === undefined) return 0;
    const same = beginsWith(record.value, mark) && (!whole || bytesOf(record.value).length === bytesOf(mark).length);
    if (!same) return this.#read(key, binary);
    this.#store(key, value, ms);
    return 1;
  }

  /**
   * @param {import('./scripts').Patch} patch
   * @param {string} key
   * @param {Value} bytes
   * @param {number} ms
   * @param {string} [only]
   * @returns {Promise<any>}
   */
  async patch({ begins, offset, onlyOffset }, key, bytes, ms, only) {
    const record = this.#find(key);
    if (record === undefined) return 0;
    if (!beginsWith(record.value, begins)) return -1;
    const changed = Buffer.from(bytesOf(record.value));
    if (only !== undefined && !beginsWith(changed.subarray(onlyOffset), only)) return 2;
    bytesOf(bytes).copy(changed, offset);
    record.value = typeof record.value === 'string' ? changed.toString('utf8') : changed;
    if (ms > 0) record.end = endAfter(ms);
    return 1;
  }

  /**
   * @param {import('./scripts').Patch} patch
   * @param {string} key
   * @param {Value} bytes
   * @param {number} ms
   * @param {string | undefined} only
   * @param {(answer: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  patchThen(patch, key, bytes, ms, only, resolve, reject) {
    this.patch(patch, key, bytes, ms, only).then(resolve, reject);
  }

  /**
   * @param {string} key
   * @param {number} ms
   */
  async expire(key, ms) {
    const record = this.#find(key);
    if (record === undefined) return false;
    record.end = endAfter(ms);
    return true;
  }

  /** @param {string} key */
  async remove(key) {
    return this.#find(key) !== undefined && this.#records.delete(key);
  }

  /**
   * @param {readonly string[]} keys
   * @param {boolean} [binary]
   */
  async getMany(keys, binary = false) {
    return keys.map((key) => this.#read(key, binary));
  }

  /** @param {readonly string[]} keys */
  async removeMany(keys) {
    let removed = 0;
    for (const key of keys) if (this.#find(key) !== undefined && this.#records.delete(key)) removed++;
    return removed;
  }

  /**
   * @param {string} prefix
   * @param {number} count
   * @returns {AsyncGenerator<string[]>}
   */
  async *keys(prefix, count) {
    /** @type {string[]} */
    let page = [];
    for (const key of [...this.#records.keys()]) {
      if (!key.startsWith(prefix) || this.#find(key) === undefined) continue;
      if (page.push(key) < count) continue;
      yield page;
      page = [];
      // Others shall have their turn.
      await nextTurn();
    }
    if (page.length > 0) yield page;
  }

  async close() {}
}

/** @param {number} ms */
function endAfter(ms) {
  return ms === 0 ? NEVER : now() + ms;
}

/** @type {WeakMap<object, MemoryRecords>} */
const known = new WeakMap();

/**
 * The records of a cache that has no Redis: the same for everybody who asks.
 * @param {object} cache
 */
function memoryRecordsOf(cache) {
  let records = known.get(cache);
  if (records === undefined) known.set(cache, (records = new MemoryRecords()));
  return records;
}

/** @typedef {MemoryRecords} MemoryRecordsInstance */

module.exports = { memoryRecordsOf };
