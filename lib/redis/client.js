'use strict';
// RedisClient: promises around the native connection. Commands go in one by one, replies come back in batches.
const { EventEmitter } = require('node:events');
const binding = require('../binding');
const { RedisError } = require('../errors');
const { describe } = require('../options/is');
const { COMMANDS, NUMBER, STRINGS } = require('./commands');
const { createReplyQueue } = require('./reply-queue');

// What submit() and the like return when they refuse; undefined when they do not. As in src/node/redis_client.h.
const REFUSALS = {
  1: ['CLIENT_CLOSED', 'the client is closed'],
  2: ['QUEUE_FULL', 'too many commands wait for a connection'],
  3: ['UNAVAILABLE', 'there is no connection'],
  4: ['TOO_LARGE', 'there is no memory for the arguments'],
};
const BAD_ARGUMENT = 100;

// Building values is cheaper here than through Node-API, and gives them the prototypes of this realm.
const factories = {
  array: (/** @type {any[]} */ ...values) => values,
  extend: (/** @type {any[]} */ array, /** @type {any[]} */ ...values) => {
    array.push(...values);
  },
  map: (/** @type {any[]} */ flat) => {
    const map = new Map();
    for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
    return map;
  },
  set: (/** @type {any[]} */ values) => new Set(values),
  error: (/** @type {string} */ message) => RedisError.fromReply(message),
  bigNumber: (/** @type {string} */ digits) => BigInt(digits),
};

class RedisClient extends EventEmitter {
  /** @type {'connecting' | 'ready' | 'reconnecting' | 'closed'} */
  status = 'connecting';
  #native;
  #queue = createReplyQueue();
  /** @type {(() => void) | undefined} */
  #ended;
  /** @type {Promise<void>} */
  #end;

  /** @param {import('./options').NativeRedisOptions} options */
  constructor(options) {
    super();
    this.#end = new Promise((resolve) => {
      this.#ended = resolve;
    });
    this.#native = binding.createClient(options, {
      ...this.#queue.callbacks,
      ...factories,
      commands: COMMANDS,
      event: this.#onEvent.bind(this),
    });
  }

  /**
   * For the cache, whose operations travel on this connection.
   * @internal
   */
  get internals() {
    return { native: this.#native, queue: this.#queue };
  }

  /**
   * @param {string} name
   * @param {string} text
   * @param {number} first
   * @param {number} second
   */
  #onEvent(name, text, first, second) {
    switch (name) {
      case 'connect':
        return this.#tell('connect');
      case 'ready':
        this.status = 'ready';
        return this.#tell('ready');
      case 'close':
        if (this.status !== 'closed') this.status = 'reconnecting';
        return this.#tell('close', { reason: text });
      case 'reconnecting':
        this.status = 'reconnecting';
        return this.#tell('reconnecting', { attempt: first, delay: second });
      case 'error': {
        // An error that nobody listens for is no reason to end the process: the client mends itself.
        if (this.listenerCount('error') === 0) return undefined;
        const space = text.indexOf(' ');
        return this.#tell('error', new RedisError(text.slice(0, space), text.slice(space + 1)));
      }
      default:
        this.status = 'closed';
        return this.#ended?.();
    }
  }

  /**
   * A listener that throws must not break the delivery of replies: it throws on its own.
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, ...details) {
    try {
      this.emit(name, ...details);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /**
   * @param {number} refused
   * @param {string} name
   * @param {readonly unknown[]} args
   */
  #refusal(refused, name, args) {
    if (refused >= BAD_ARGUMENT) {
      const index = refused - BAD_ARGUMENT;
      return new TypeError(
        `${name}: argument ${index}: expected a string, number, bigint or Uint8Array, got ${describe(args[index])}`,
      );
    }
    const [code, message] = REFUSALS[/** @type {keyof typeof REFUSALS} */ (refused)];
    return new RedisError(code, `${name}: ${message}`, name);
  }

  /**
   * @param {import('./commands').CommandName} name
   * @param {any[]} args
   * @returns {Promise<any>}
   */
  #send(name, ...args) {
    const refused = this.#native.submit(NUMBER[name], STRINGS, ...args);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, name, args));
    return this.#queue.next(name);
  }

  /**
   * @param {string} command
   * @param {any[]} args
   * @returns {Promise<any>}
   */
  call(command, ...args) {
    if (typeof command !== 'string' || command === '') {
      return Promise.reject(new TypeError(`command: expected the name of a command, got ${describe(command)}`));
    }
    const refused = this.#native.submit(-1, STRINGS, command, ...args);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, command, [command, ...args]));
    return this.#queue.next(command);
  }

  /** @param {any} key */
  get(key) {
    const refused = this.#native.submit(NUMBER.GET, STRINGS, key);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, 'GET', [key]));
    return this.#queue.next('GET');
  }

  /**
   * @param {any} key
   * @param {any} value
   * @param {any[]} options
   */
  set(key, value, ...options) {
    if (options.length > 0) return this.#send('SET', key, value, ...options);
    const refused = this.#native.submit(NUMBER.SET, STRINGS, key, value);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, 'SET', [key, value]));
    return this.#queue.next('SET');
  }

  /** @param {any[]} keys */
  del(...keys) {
    return this.#send('DEL', ...keys);
  }

  /** @param {any[]} keys */
  unlink(...keys) {
    return this.#send('UNLINK', ...keys);
  }

  /** @param {any[]} keys */
  exists(...keys) {
    return this.#send('EXISTS', ...keys);
  }

  /** @param {any[]} keys */
  mget(...keys) {
    return this.#send('MGET', ...keys);
  }

  /** @param {any} key */
  pttl(key) {
    return this.#send('PTTL', key);
  }

  ping() {
    return this.#send('PING');
  }

  ref() {
    this.#native.setRef(true);
    return this;
  }

  unref() {
    this.#native.setRef(false);
    return this;
  }

  close() {
    this.#native.close();
    return this.#end;
  }

  destroy() {
    this.#native.destroy();
  }
}

/** @typedef {RedisClient} Client */

module.exports = { RedisClient };
