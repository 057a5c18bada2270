'use strict';
// Gives back the memory of entries that an invalidation made useless, in the background and in small batches. Nothing
// depends on it: what is invalid is never served, swept or not.
const { randomBytes } = require('node:crypto');
const { pagesOfKeys } = require('../redis/scan');
const { clearTimeout, setTimeout } = require('../timers');

const BATCH = 256;
const PAUSE_MS = 2;
const MOST_BATCHES = 100_000;
// A step that Redis did not answer is tried again, so often, after a pause that doubles: a server that is slow for a moment
// is no reason to leave the rest for an hour.
const TRIES = 7;
const FIRST_RETRY_MS = 100;
const PASSING = new Set([
  'COMMAND_TIMEOUT',
  'CONNECTION_LOST',
  'PROTOCOL_ERROR',
  'QUEUE_FULL',
  'UNAVAILABLE',
  'BUSY',
  'LOADING',
  'MASTERDOWN',
  'READONLY',
]);

/** @returns {Promise<void>} */
const pause = () => new Promise((resolve) => void setTimeout(resolve, PAUSE_MS).unref());

class Sweeper {
  #tiers;
  #prefix;
  #stopped = false;
  /** @type {Set<() => void>} ends the pauses in front of another try */
  #sleeping = new Set();

  /**
   * @param {import('./tiered-store').TieredStoreInstance} tiers
   * @param {string} prefix of every key in Redis
   */
  constructor(tiers, prefix) {
    this.#tiers = tiers;
    this.#prefix = prefix;
  }

  stop() {
    this.#stopped = true;
    for (const wake of this.#sleeping) wake();
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
    let failed = false;
    const taken = await this.#persist(async () => {
      try {
        await client.call('RENAME', index, trash);
        return true;
      } catch (error) {
        if (/no such key/i.test(/** @type {Error} */ (error).message)) {
          // An attempt before, of which no answer came, may have been carried out.
          return failed && (await client.call('EXISTS', trash)) === 1;
        }
        failed = true;
        throw error;
      }
    });
    if (!taken) return;
    await this.#persist(() => client.call('PEXPIRE', trash, '3600000'));
    for (let batch = 0; batch < MOST_BATCHES && !this.#stopped; batch++) {
      // Each time: an entry that was filled after yet another invalidation is to stay.
      const stamp = await this.#persist(() => this.#tiers.stampOf(name));
      if (stamp === undefined) break;
      const popped = await this.#persist(() => /** @type {any} */ (client).zpopmin(trash, BATCH));
      const keys = popped.map((/** @type {{ member: string }} */ { member }) => member);
      if (keys.length === 0) return;
      await Promise.all(
        keys.map((/** @type {string} */ key) => this.#persist(() => this.#tiers.sweep(key, name, stamp))),
      );
      await pause();
    }
    await client.call('UNLINK', trash);
  }

  /**
   * Carries a step out, also when Redis is away for a moment.
   * @template T
   * @param {() => Promise<T>} step
   * @returns {Promise<T>}
   */
  async #persist(step) {
    for (let tried = 1; ; tried++) {
      try {
        return await step();
      } catch (error) {
        const passes = PASSING.has(/** @type {{ code: string }} */ (error).code);
        if (!passes || tried === TRIES || this.#stopped) throw error;
        await this.#sleep(FIRST_RETRY_MS * 2 ** (tried - 1));
        if (this.#stopped) throw error;
      }
    }
  }

  /**
   * @param {number} ms
   * @returns {Promise<void>}
   */
  async #sleep(ms) {
    /** @type {() => void} */
    let wake = () => {};
    const awake = new Promise((resolve) => {
      wake = () => resolve(undefined);
    });
    const timer = setTimeout(wake, ms).unref();
    this.#sleeping.add(wake);
    await awake;
    this.#sleeping.delete(wake);
    clearTimeout(timer);
  }

  /**
   * The entries of a namespace.
   * @param {string} name of its tag
   * @param {string} pattern of its keys
   */
  async namespace(name, pattern) {
    const client = /** @type {import('../redis/client').Client} */ (this.#tiers.client);
    const patient = {
      _run: (/** @type {import('../redis/command-methods').Command} */ command) =>
        this.#persist(() => client._run(command)),
    };
    let batches = 0;
    for await (const keys of pagesOfKeys(patient, pattern, BATCH)) {
      if (++batches > MOST_BATCHES || this.#stopped) return;
      const stamp = await this.#persist(() => this.#tiers.stampOf(name));
      if (stamp === undefined) return;
      const sweep = (/** @type {string} */ key) => this.#tiers.sweep(key.slice(this.#prefix.length), name, stamp);
      await Promise.all(keys.map((key) => this.#persist(() => sweep(key))));
      await pause();
    }
  }
}

module.exports = { Sweeper };
