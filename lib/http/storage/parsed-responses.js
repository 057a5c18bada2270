'use strict';
// Responses as read from memory and parsed, so that a hit does neither again: found by key, valid for one fill, which the
// native tier compares.

/** @typedef {import('../../store/byte-entries').StoredEntry} StoredEntry */

/**
 * @typedef {import('../../store/decoded-values').Decoded & {
 *   payload: Buffer,
 *   metadata: any,
 *   age: number,
 *   softened: boolean,
 *   stored: number,
 *   tags: string[],
 *   ready?: any,
 * }} Kept age: ms, when it was looked up last; stored: performance.now() of its storing; ready: what serve.js has
 *   prepared of it
 */

// Of an entry and what is prepared of it, besides its texts.
const OBJECTS_BYTES = 1024;

/**
 * The texts of a head count twice: as fields, and as Node sends them.
 * @param {StoredEntry} entry
 */
function sizeOf({ payload, metadata }) {
  let texts = 0;
  if (Array.isArray(metadata?.head)) for (const text of metadata.head) texts += String(text).length;
  return payload.length + 2 * texts + OBJECTS_BYTES;
}

class ParsedResponses {
  #entries;
  #room;
  /** @type {Map<string, Kept>} */
  #kept = new Map();

  /** @param {import('../../store/byte-entries').ByteEntriesInstance} entries */
  constructor(entries) {
    this.#entries = entries;
    this.#room = entries.decodedValues;
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
      kept.used = true;
      kept.age = performance.now() - kept.stored;
      return kept;
    }
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#room.delete(kept);
    }
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
    const stored = performance.now() - age;
    /** @type {Kept} */
    const kept = { key, fill, token, size: sizeOf(entry), used: false, holder: this, payload, metadata, age, softened, stored, tags }; // prettier-ignore
    if (token !== 0 && this.#room.add(kept)) this.#kept.set(key, kept);
    return kept;
  }

  /**
   * For the room: one of them has left.
   * @param {Kept} kept
   */
  dropped({ key }) {
    this.#kept.delete(key);
  }
}

module.exports = { ParsedResponses };
