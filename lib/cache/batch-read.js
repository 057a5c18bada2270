'use strict';
// Reads of many keys from Redis in few commands, for caches that keep nothing in memory: the values of a batch come as one
// JSON array, which is parsed in one go.
const { deepFreeze } = require('./freeze');

/** So many keys are read with one command, and fewer when values are large: who else waits must not wait for long. */
const MOST_KEYS = 256;
const MOST_BYTES = 256 * 1024;
/** What a batch brings in which nearly every key had to be read again by itself is not worth it: for so many batches none. */
const PAUSE = 64;

/** What a server says that lets its user GET and not MGET, or a proxy that does not know it. */
const NOT_ALLOWED = new Set(['NOPERM', 'ERR']);

/**
 * @typedef {object} Reading
 * @property {(key: string) => Promise<any>} fetch reads one by itself
 * @property {(key: string) => void} onMiss
 * @property {((key: string) => void) | undefined} onHit undefined: nobody hears of hits
 */

class BatchReader {
  #tiers;
  #codec;
  #frozen;
  #bytes = 1024; // of a value, about
  #paused = 0;

  /**
   * @param {import('../store/tiered-store').TieredStoreInstance} tiers
   * @param {import('./codecs').CacheCodec} codec
   * @param {boolean} frozen
   */
  constructor(tiers, codec, frozen) {
    this.#tiers = tiers;
    this.#codec = codec;
    this.#frozen = frozen;
  }

  /**
   * @param {readonly string[]} keys
   * @param {Reading} reading
   * @returns {Promise<any[]>} undefined: a miss
   */
  async read(keys, reading) {
    const most = Math.min(MOST_KEYS, Math.floor(MOST_BYTES / this.#bytes));
    if (this.#codec.custom || keys.length < 2 || most < 2 || this.#isPaused()) {
      return Promise.all(keys.map(reading.fetch));
    }
    if (keys.length <= most) return this.#readBatch(keys, reading);
    const batches = [];
    for (let from = 0; from < keys.length; from += most) {
      batches.push(this.#readBatch(keys.slice(from, from + most), reading));
    }
    return (await Promise.all(batches)).flat(1);
  }

  #isPaused() {
    if (this.#paused === 0) return false;
    this.#paused--;
    return true;
  }

  /**
   * @param {readonly string[]} keys
   * @param {Reading} reading
   */
  async #readBatch(keys, { fetch, onHit, onMiss }) {
    const { counters } = this.#tiers;
    let answer;
    try {
      answer = await this.#tiers.readMany(keys);
    } catch (error) {
      if (NOT_ALLOWED.has(/** @type {any} */ (error).code)) {
        this.#paused = PAUSE;
        return Promise.all(keys.map(fetch));
      }
      this.#tiers.failed(error);
      keys.forEach(onMiss);
      return new Array(keys.length).fill(undefined);
    }
    const [text, marks] = answer;
    const found = valuesIn(text, marks);
    // One of them is none of ours, and nobody can tell which.
    if (found === undefined) return Promise.all(keys.map(fetch));
    if (found.length > 0) this.#bytes = text.length / found.length;
    counters.redisHits += found.length;
    // Filled: what is missing is undefined, not a hole.
    const values = new Array(keys.length).fill(undefined);
    const again = [];
    let next = 0;
    for (let at = 0; at < keys.length; at++) {
      const mark = marks[at];
      if (mark === 'h') {
        values[at] = this.#frozen ? deepFreeze(found[next++]) : found[next++];
        onHit?.(keys[at]);
      } else if (mark === 'a') {
        again.push(at);
      } else {
        onMiss(keys[at]);
      }
    }
    if (again.length > keys.length / 2) this.#paused = PAUSE;
    await Promise.all(
      again.map(async (at) => {
        values[at] = await fetch(keys[at]);
      }),
    );
    return values;
  }
}

/**
 * @param {string} text
 * @param {string} marks
 * @returns {any[] | undefined} undefined: they do not fit
 */
function valuesIn(text, marks) {
  let hits = 0;
  for (let at = 0; at < marks.length; at++) if (marks[at] === 'h') hits++;
  try {
    const values = JSON.parse(text);
    return values.length === hits ? values : undefined;
  } catch {
    return undefined;
  }
}

/** @typedef {BatchReader} BatchReaderInstance */

module.exports = { BatchReader };
