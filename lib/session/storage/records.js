'use strict';
// Records: values with an expiry under one key each, in Redis, and the steps on one of them that must be atomic. Every call
// is one command or one script of one key. memory-records.js has the same without Redis.
//
// A record may have a part that patch() changes in place; what stands in front of it then tells one writing of the record
// from another (its mark), and swap() compares that alone.
const { createHash } = require('node:crypto');
const { escapePattern } = require('../../keys/glob');
const { RedisClient } = require('../../redis/client');
const { NAMES } = require('../../redis/command-methods');
const { normalizeRedisOptions, redisFromEnvironment } = require('../../redis/options');
const { SessionError } = require('../errors');
const { memoryRecordsOf } = require('./memory-records');
const { linkOf } = require('../../redis/link');
const { storeOf } = require('../../store/store');

// Modes of a command, as in ../redis/client.js.
const STRINGS = 0;
const BUFFERS = 1;
const EVALSHA = NAMES.indexOf('EVALSHA');
const EVAL = NAMES.indexOf('EVAL');

/** A Lua script and its SHA-1. @param {string} source */
const script = (source) => ({ source, sha: createHash('sha1').update(source).digest('hex') });

// ARGV: mark, value, PX or 0, whether the mark is the whole record. Returns 1; 0 when there is none; else what is there.
const SWAP = script(
  "if redis.call('GETRANGE',KEYS[1],0,#ARGV[1]-1)==ARGV[1]" +
    " and (ARGV[4]=='0' or redis.call('STRLEN',KEYS[1])==#ARGV[1]) then\n" +
    "if ARGV[3]=='0' then redis.call('SET',KEYS[1],ARGV[2])\n" +
    "else redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) end\n" +
    'return 1\n' +
    'end\n' +
    "return redis.call('GET',KEYS[1]) or 0",
);

// ARGV: bytes, PX or 0; and perhaps what must be there, else nothing is changed. Returns 1; 0 when there is none; -1 when
// it is of another form; 2 when nothing was changed.
const patchSource = (/** @type {string} */ begins, /** @type {number} */ offset, /** @type {number} */ onlyOffset) =>
  `if redis.call('GETRANGE',KEYS[1],0,${begins.length - 1})~='${begins}' then return -redis.call('EXISTS',KEYS[1]) end\n` +
  `if ARGV[3] and redis.call('GETRANGE',KEYS[1],${onlyOffset},${onlyOffset - 1}+#ARGV[3])~=ARGV[3] then return 2 end\n` +
  `redis.call('SETRANGE',KEYS[1],${offset},ARGV[1])\n` +
  "if ARGV[2]~='0' then redis.call('PEXPIRE',KEYS[1],ARGV[2]) end\n" +
  'return 1';

/**
 * @typedef {object} Patch
 * @property {string} begins
 * @property {number} offset
 * @property {number} onlyOffset
 * @property {{ source: string, sha: string }} script
 */

/**
 * A part of records that patch() changes in place.
 * @param {string} begins what a record must begin with: ASCII, without quotes or backslashes
 * @param {number} offset of the part, in bytes
 * @param {number} onlyOffset where `only` of patch() is compared
 * @returns {Patch}
 */
function definePatch(begins, offset, onlyOffset = offset) {
  return { begins, offset, onlyOffset, script: script(patchSource(begins, offset, onlyOffset)) };
}

// The same as for a cache: a page waits for the answer.
const COMMAND_TIMEOUT_MS = 1000;
const HEARTBEAT_MS = 2000;
const BACKOFF_MAX_MS = 800;

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
    const { unresponsive, lastError } = linkOf(this.client).state;
    if (status === 'closed') return undefined; // the client says so itself
    if (status === 'ready') {
      if (!unresponsive) this.#silent = false;
      if (!unresponsive) return undefined;
    }
    return Promise.reject(
      new SessionError('SESSION_UNAVAILABLE', `Redis is not available${lastError ? `: ${lastError}` : ''}`),
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
      const args = [SWAP.sha, 1, key, mark, value, ms, whole ? 1 : 0];
      this.#run(SWAP.source, args, binary ? BUFFERS : STRINGS, resolve, reject);
    });
  }

  /**
   * Changes a part of a record in place, and how long it lives.
   * @param {Patch} patch
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
   * @param {Patch} patch
   * @param {string} key
   * @param {Value} bytes
   * @param {number} ms
   * @param {string | undefined} only
   * @param {(answer: any) => void} resolve must not throw
   * @param {(error: any) => void} reject must not throw
   */
  patchThen({ script: { source, sha } }, key, bytes, ms, only, resolve, reject) {
    const args = only === undefined ? [sha, 1, key, bytes, ms] : [sha, 1, key, bytes, ms, only];
    this.#run(source, args, STRINGS, resolve, reject);
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
    const match = `${escapePattern(prefix)}*`;
    let cursor = '0';
    do {
      const page = await (this.refused() ?? this.client.call('SCAN', cursor, 'MATCH', match, 'COUNT', count));
      const [next, keys] = /** @type {[string, string[]]} */ (page);
      cursor = String(next);
      if (keys.length > 0) yield keys;
    } while (cursor !== '0');
  }

  async close() {
    this.client.off('ready', this.#onReady);
    this.client.off('reconnecting', this.#onReconnecting);
    if (this.#owned) await this.client.close();
  }

  /**
   * Calls a script by its SHA-1; sends it whole where the server does not know it.
   * @param {string} source
   * @param {any[]} args SHA-1, number of keys, …
   * @param {number} mode
   * @param {(answer: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  #run(source, args, mode, resolve, reject) {
    const answer = this.refused() ?? this.client._run(command(EVALSHA, 'EVALSHA', args), mode);
    answer.then(resolve, (/** @type {any} */ error) => {
      if (error.code !== 'NOSCRIPT') return reject(error);
      return this.client._run(command(EVAL, 'EVAL', [source, ...args.slice(1)]), mode).then(resolve, reject);
    });
  }
}

/**
 * @param {number} number
 * @param {string} name
 * @param {any[]} args
 */
function command(number, name, args) {
  return { number, name, args, transform: undefined, endless: false };
}

/**
 * Where records are kept: on a connection of its own to the server of a cache, on a Redis by itself, or, for a cache
 * without Redis, in memory.
 * @param {{ cache?: any, redis?: any, memory?: boolean }} given one of cache and redis; neither: the Redis of the
 *   environment. memory: what was read is kept in memory until it changes
 * @param {(connected: boolean) => void} [onState] told when the connection is lost for longer, and when it is back
 * @returns {Records}
 */
function openRecords({ cache, redis, memory = false }, onState) {
  if (cache !== undefined && redis !== undefined) throw new TypeError("expected 'cache' or 'redis', not both");
  // Required here: it is made of this file.
  const Kind = memory ? require('./tracked-records').TrackedRecords : RedisRecords;
  if (cache !== undefined) {
    const store = storeOf(cache);
    const { client } = store.tiers;
    if (client === undefined) return memoryRecordsOf(cache);
    const records = new Kind(client.duplicate(), { owned: true, onState });
    store.attach(records);
    return records;
  }
  if (redis instanceof RedisClient) {
    // With memory, everything that is read on the connection is announced to it: one of its own.
    return new Kind(memory ? redis.duplicate() : redis, { owned: memory, onState });
  }
  return new Kind(new RedisClient(redisOptions(redis)), { owned: true, onState });
}

/** @param {any} redis */
function redisOptions(redis) {
  const options = redis === undefined ? redisFromEnvironment(process.env) : normalizeRedisOptions(redis, 'redis');
  if (options === undefined) {
    throw new TypeError("expected 'cache' or 'redis', or REDIS_URL in the environment, and there is none of them");
  }
  const own = typeof redis === 'object' ? redis : {};
  if (own.commandTimeout === undefined) options.commandTimeout = COMMAND_TIMEOUT_MS;
  if (own.heartbeat === undefined) options.heartbeat = HEARTBEAT_MS;
  options.backoffMax = BACKOFF_MAX_MS;
  return options;
}

module.exports = { openRecords, definePatch, RedisRecords };
