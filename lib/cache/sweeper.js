'use strict';
// Gives back the memory of entries that an invalidation made useless, in the background and in small batches. Nothing
// depends on it: what is invalid is never served, swept or not.
const { randomBytes } = require('node:crypto');
const { setTimeout } = require('../timers');

const BATCH = 256;
const PAUSE_MS = 2;
const MOST_BATCHES = 100_000;

/** @returns {Promise<void>} */
const pause = () => new Promise((resolve) => void setTimeout(resolve, PAUSE_MS).unref());

class Sweeper {
  #tiers;
  #prefix;
  #stopped = false;

  /**
   * @param {import('./tiers').TiersInstance} tiers
   * @param {string} prefix of every key in Redis
   */
  constructor(tiers, prefix) {
    this.#tiers = tiers;
    this.#prefix = prefix;
  }

  stop() {
    this.#stopped = true;
  }

  /**
   * The entries of a tag, from its index. What is filled from now on is in a new index.
   * @param {string} name whole: "t:user"
   */
  async tag(name) {
    const client = /** @type {import('../redis/client').Client} */ (this.#tiers.client);
    const index = `${this.#prefix}i${name.slice(1)}`;
    // Of the same slot, for clusters.
    const trash = `${index}:${randomBytes(8).toString('hex')}`;
    try {
      await client.call('RENAME', index, trash);
    } catch (error) {
      if (/no such key/i.test(/** @type {Error} */ (error).message)) return;
      throw error;
    }
    await client.call('PEXPIRE', trash, '3600000');
    for (let batch = 0; batch < MOST_BATCHES && !this.#stopped; batch++) {
      // Each time: an entry that was filled after yet another invalidation is to stay.
      const stamp = await this.#tiers.stampOf(name);
      if (stamp === undefined) break;
      const popped = await client.call('ZPOPMIN', trash, String(BATCH));
      const keys = membersOf(popped);
      if (keys.length === 0) return;
      await Promise.all(keys.map((key) => this.#tiers.sweep(key, name, stamp)));
      await pause();
    }
    await client.call('UNLINK', trash);
  }

  /**
   * The entries of a namespace.
   * @param {string} name of its tag
   * @param {string} pattern of its keys
   */
  async namespace(name, pattern) {
    const client = /** @type {import('../redis/client').Client} */ (this.#tiers.client);
    let cursor = '0';
    for (let batch = 0; batch < MOST_BATCHES && !this.#stopped; batch++) {
      const stamp = await this.#tiers.stampOf(name);
      if (stamp === undefined) return;
      const [next, keys] = await client.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', String(BATCH));
      await Promise.all(
        keys.map((/** @type {string} */ key) => this.#tiers.sweep(key.slice(this.#prefix.length), name, stamp)),
      );
      cursor = String(next);
      if (cursor === '0') return;
      await pause();
    }
  }
}

/**
 * RESP3 answers with pairs, RESP2 with a flat list.
 * @param {any[]} popped
 * @returns {string[]}
 */
function membersOf(popped) {
  if (popped.length > 0 && Array.isArray(popped[0])) return popped.map(([member]) => member);
  return popped.filter((_, index) => index % 2 === 0);
}

module.exports = { Sweeper };
