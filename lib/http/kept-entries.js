'use strict';
// What was read from memory and parsed, so that a hit does neither again: found by key, valid for one fill, which the
// native tier compares.

/** @typedef {import('../cache/entries').StoredEntry} StoredEntry */

/**
 * @typedef {object} Kept
 * @property {Buffer} payload
 * @property {any} metadata
 * @property {number} age ms, when it was looked up last
 * @property {boolean} softened
 * @property {number} stored performance.now() of its storing
 * @property {number} fill
 * @property {number} token
 * @property {string[]} tags
 * @property {number} size what it takes, roughly
 * @property {any} [ready] what serve.js has prepared of it
 */

// Copies of what the memory tier holds: they make hits cheap, and must not double the cache.
const MAX_BYTES = 32 * 1024 * 1024;
// Of an entry and what is prepared of it, besides its texts.
const OBJECTS_BYTES = 1024;

/**
 * The texts of a head count twice: as fields, and as Node sends them.
 * @param {string} key
 * @param {StoredEntry} entry
 */
function sizeOf(key, { payload, metadata }) {
  let texts = 0;
  if (Array.isArray(metadata?.head)) for (const text of metadata.head) texts += String(text).length;
  return payload.length + key.length + 2 * texts + OBJECTS_BYTES;
}

class KeptEntries {
  #entries;
  #room = MAX_BYTES;
  /** @type {Map<string, Kept>} oldest first */
  #kept = new Map();

  /** @param {import('../cache/entries').EntryStore} entries */
  constructor(entries) {
    this.#entries = entries;
  }

  /**
   * What memory holds, fresh or stale.
   * @param {string} key
   * @returns {Kept | undefined}
   */
  get(key) {
    const kept = this.#kept.get(key);
    if (kept !== undefined && !this.#entries.behind && this.#entries.still(kept.token, kept.fill, 0)) {
      this.#entries.countHit();
      kept.age = performance.now() - kept.stored;
      return kept;
    }
    if (kept !== undefined) this.#drop(key, kept);
    const entry = this.#entries.peek(key);
    return entry === undefined ? undefined : this.#keep(key, entry);
  }

  /**
   * @param {string} key
   * @param {StoredEntry} entry
   * @returns {Kept}
   */
  #keep(key, entry) {
    const { payload, metadata, age, softened, fill, token, tags } = entry;
    const size = sizeOf(key, entry);
    /** @type {Kept} */
    const kept = { payload, metadata, age, softened, stored: performance.now() - age, fill, token, tags, size };
    if (token === 0 || size > MAX_BYTES / 8) return kept;
    for (const [oldest, { size: freed }] of this.#kept) {
      if (this.#room >= size) break;
      this.#kept.delete(oldest);
      this.#room += freed;
    }
    this.#kept.set(key, kept);
    this.#room -= size;
    return kept;
  }

  /**
   * @param {string} key
   * @param {Kept} kept
   */
  #drop(key, { size }) {
    if (this.#kept.delete(key)) this.#room += size;
  }
}

module.exports = { KeptEntries };
