'use strict';
// Records: values with an expiry under one key each, in Redis, and the steps on one of them that must be atomic. Every call
// is one command or one script of one key. memory-records.js has the same without Redis.
//
// A record may have a part that patch() changes in place; what stands in front of it then tells one writing of the record
// from another (its mark), and swap() compares that alone.
const { escapePattern } = require('../../keys/glob');
const { STRINGS, BUFFERS } = require('../../redis/modes');
const { pagesOfKeys } = require('../../redis/scan');
const { runScript } = require('../../redis/script');
const { SessionError } = require('../errors');
const { SWAP } = require('./scripts');
const { linkOf } = require('../../redis/link');

/**
 * @typedef {string | Buffer} Value
 * @typedef {RedisRecords | import('./memory-records').MemoryRecordsInstance} Records
 */

class RedisRecords {
  /**
   * The connection, for scripts of one's own.
   * @type {any}
   */
  client;
  #owned;
  #failed = false; // an attempt to connect has failed since the connection was lost
  #silent = false; // a command was not answered in time
  #connected = true;
  #onState;
  // For scripts and scans.
  #runner = {
    _run: (
      /** @type {import('../../redis/command-methods').Command} */ command,
      /** @type {number} */ mode = STRINGS,
    ) => this.refused() ?? this.client._run(command, mode),
  };

  /**
   * @param {import('../../redis/client').Client} client
   * @param {{ owned: boolean, onState?: (connected: boolean) => void }} options owned: closed by close()
   */
  constructor(client, { owned, onState = () => {} }) {
    this.client = client;
    this.#owned = owned;
    this.#onState = onState;
    client.on('ready', this.#onReady);
    client.on('reconnecting', this.#onReconnecting);
  }

  #onReady = () => {
    this.#failed = false;
    this.#silent = false;
    this.#tell(true);
  };
  // One attempt is made first: a connection that breaks is not a server that is gone.
  #onReconnecting = (/** @type {{ attempt: number }} */ { attempt }) => {
    if (attempt < 2) return;
    this.#failed = true;
    this.#tell(false);
  };

  /** @param {boolean} connected */
  #tell(connected) {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#onState(connected);
  }

  /** Whether there is another process that may see the records. */
  get shared() {
    return true;
  }

  /**
   * Rejected at once, when it is known that nobody would answer; undefined else.
   * @returns {Promise<never> | undefined}
   */
  refused() {
    if (!this.#failed && !this.#silent) return undefined;
    const { status } = this.client;
    const { unresponsive, reason } = linkOf(this.client).state;
    if (status === 'closed') return undefined; // the client says so itself
    if (status === 'ready') {
      if (!unresponsive) this.#silent = false;
      if (!unresponsive) return undefined;
    }
    return Promise.reject(
      new SessionError('SESSION_UNAVAILABLE', `Redis is not available${reason ? `: ${reason}` : ''}`),
    );
  }

  /**
   * To be told of every error of this connection: notices when nobody answers.
   * @param {unknown} error
   */
  noteError(error) {
    if (/** @type {any} */ (error)?.code === 'COMMAND_TIMEOUT') this.#silent = true;
  }

  /**
   * @param {string} key
   * @param {boolean} [binary]
   * @returns {Promise<any>} null without one
   */
  get(key, binary = false) {
    return this.refused() ?? (binary ? this.client.buffers.get(key) : this.client.get(key));
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} ms that it lives; 0: for ever
   * @returns {Promise<unknown>}
   */
  put(key, value, ms) {
    return this.refused() ?? (ms === 0 ? this.client.set(key, value) : this.client.set(key, value, 'PX', ms));
  }

  /**
   * Only where there is no record.
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   * @returns {Promise<boolean>} whether there was none
   */
  async add(key, value, ms) {
    return (await (this.refused() ?? this.client.set(key, value, 'PX', ms, 'NX'))) !== null;
  }

  /**
   * Only where there is a record.
   * @param {string} key
   * @param {Value} value
   * @param {number} ms
   * @returns {Promise<boolean>} whether there was one
   */
  async replace(key, value, ms) {
    const px = ms === 0 ? [] : ['PX', ms];
    return (await (this.refused() ?? this.client.set(key, value, ...px, 'XX'))) !== null;
  }

  /**
   * Only where the record still is the one that was read.
   * @param {string} key
   * @param {Value} mark how the record begins, or all of it
   * @param {boolean} whole whether it is all of it
   * @param {Value} value
   * @param {number} ms
   * @param {boolean} [binary]
   * @returns {Promise<1 | 0 | Value>} 1: written; 0: there is no record any more; else what is there instead
   */
  swap(key, mark, whole, value, ms, binary = false) {
    return new Promise((resolve, reject) => {
      const args = [1, key, mark, value, ms, whole ? 1 : 0];
      runScript(this.#runner, SWAP, args, binary ? BUFFERS : STRINGS, resolve, reject);
    });
  }

  /**
   * Changes a part of a record in place, and how long it lives.
   * @param {import('./scripts').Patch} patch
   * @param {string} key
   * @param {Value} bytes
   * @param {number} ms 0: leaves it
   * @param {string} [only] where the record still has this at the patch's onlyOffset
   * @returns {Promise<1 | 0 | -1 | 2>} 0: there is no record; -1: it begins with something else; 2: it has something else
   *   there
   */
  patch(patch, key, bytes, ms, only) {
    return new Promise((resolve, reject) => this.patchThen(patch, key, bytes, ms, only, resolve, reject));
  }

  /**
   * The same, with as few promises as can be: for the way of every request.
   * @param {import('./scripts').Patch} patch
   * @param {string} key
   * @param {Value} bytes
   * @param {number} ms
   * @param {string | undefined} only
   * @param {(answer: any) => void} resolve must not throw
   * @param {(error: any) => void} reject must not throw
   */
  patchThen({ script }, key, bytes, ms, only, resolve, reject) {
    const args = only === undefined ? [1, key, bytes, ms] : [1, key, bytes, ms, only];
    runScript(this.#runner, script, args, STRINGS, resolve, reject);
  }

  /**
   * @param {string} key
   * @param {number} ms
   * @returns {Promise<boolean>} whether there is a record
   */
  expire(key, ms) {
    return this.refused() ?? this.client.pexpire(key, ms);
  }

  /**
   * @param {string} key
   * @returns {Promise<boolean>} whether there was one
   */
  async remove(key) {
    return (await (this.refused() ?? this.client.unlink(key))) > 0;
  }

  /**
   * @param {readonly string[]} keys
   * @param {boolean} [binary]
   * @returns {Promise<Array<any>>}
   */
  getMany(keys, binary = false) {
    return this.refused() ?? (binary ? this.client.buffers.mget(...keys) : this.client.mget(...keys));
  }

  /**
   * @param {readonly string[]} keys
   * @returns {Promise<number>}
   */
  removeMany(keys) {
    return this.refused() ?? this.client.unlink(...keys);
  }

  /**
   * Keys, in batches; one may come twice.
   * @param {string} prefix as it is, not a pattern
   * @param {number} count a hint of how many the server looks at in one step
   * @returns {AsyncGenerator<string[]>}
   */
  async *keys(prefix, count) {
    for await (const keys of pagesOfKeys(this.#runner, `${escapePattern(prefix)}*`, count)) {
      if (keys.length > 0) yield keys;
    }
  }

  async close() {
    this.client.off('ready', this.#onReady);
    this.client.off('reconnecting', this.#onReconnecting);
    if (this.#owned) await this.client.close();
  }
}

module.exports = { RedisRecords };
