'use strict';
// RedisClient: promises around the native connection. Commands go in one by one, replies come back in batches.
const asyncDispose = require('../util/async-dispose');
const { EventEmitter } = require('node:events');
const binding = require('../binding');
const { RedisError } = require('../errors');
const { describe } = require('../options/invalid');
const { reconnectDelay } = require('./options');
const { Pipeline, Transaction } = require('./pipeline');
const { BufferView } = require('./buffer-commands');
const { addCommands, anyCommand, NAMES } = require('./command-methods');
const { Link, addLinkOf } = require('./link');
const { STRINGS, BUFFERS, ENDLESS, JOINED, WAITS, CONFIRMATIONS } = require('./modes');
const { placeOf } = require('./place');
const { Readiness, pause } = require('./readiness');
const { bytes } = require('./replies');
const { createReplyQueue } = require('./reply-queue');
const { scan, scanKey } = require('./scan');
const { createScript } = require('./script');
const { Subscriptions } = require('./subscriptions');
const { createTlsCarrier } = require('./tls-transport');
const { tracer } = require('./tracing');
const { warnUnreachable } = require('./unreachable-warning');
const { callListener } = require('../util/call-listener');

/** Longest time that a command may say that it waits, ms. */
const MOST_WAITS = 2 ** 24 - 1;

const GET = NAMES.indexOf('GET');
const SET = NAMES.indexOf('SET');

const QUEUE_LIMITS = '(options maxQueuedCommands, maxQueuedBytes)';

// What submit() and the like return when they refuse; undefined when they do not. As in src/node/redis_client.h.
const REFUSALS = {
  1: ['CLIENT_CLOSED', 'the client is closed'],
  2: ['QUEUE_FULL', `too many commands wait for the server ${QUEUE_LIMITS}`],
  3: ['UNAVAILABLE', 'there is no connection'],
  4: ['TOO_LARGE', 'there is no memory for the arguments'],
};
/** Errors of commands whose cause is that there was no connection. */
const REFLECTS = new Set(['COMMAND_TIMEOUT', 'CONNECT_FAILED']);

const CLOSED = 1;
const UNAVAILABLE = 3;
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

/** @typedef {import('./command-methods').Command} Command */

/** @param {string} name */
const blockingMessage = (name) =>
  `${name}: a command that waits holds up everything behind it, and a cache shares this client: use duplicate()`;

/** What a server that is not ready says, or says by silence. */
const NOT_READY = new Set(['LOADING', 'MASTERDOWN', 'COMMAND_TIMEOUT', 'CONNECTION_LOST', 'UNAVAILABLE', 'QUEUE_FULL']);
/** Between two questions whether it is. */
const NOT_READY_MS = 50;

/** As the native side says it. */
const TOO_LATE = 'no connection within the connect timeout';

/** @param {unknown} error whatever a function of the user threw */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

class RedisClient extends EventEmitter {
  /** @type {'connecting' | 'ready' | 'reconnecting' | 'closed'} */
  status = 'connecting';
  #options;
  #native;
  #queue = createReplyQueue();
  #readiness = new Readiness();
  /** Why there is no connection. @type {InstanceType<typeof RedisError> | undefined} */
  #lastError;
  /** @type {import('./subscriptions').SubscriptionsOf | undefined} */
  #subscriptions;
  /** @type {import('./buffer-commands').View | undefined} */
  #buffers;
  #referenced = true;
  #closing = false;
  #everReady = false;
  #gaveUp = false;
  // Caches whose commands would wait behind a blocking one.
  #shares = 0;
  /** @type {() => void} */
  #ended = () => {};
  /** @type {Promise<void>} */
  #end;
  #link;

  /** @param {import('./options').NativeRedisOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#end = new Promise((resolve) => {
      this.#ended = resolve;
    });
    const carrier = options.tls === undefined ? undefined : createTlsCarrier(options, options.tls);
    this.#native = binding.createClient(
      options,
      {
        ...this.#queue.callbacks,
        fail: (/** @type {number} */ ticket, /** @type {string} */ code, /** @type {string} */ message) => {
          const text = code === 'QUEUE_FULL' ? `${message} ${QUEUE_LIMITS}` : message;
          this.#queue.callbacks.fail(ticket, code, text, REFLECTS.has(code) ? this.#lastError : undefined);
        },
        expire: (/** @type {number} */ ticket) => {
          // Without a connection nothing is on its way: it waited behind one that has more time.
          const isSent = this.status === 'ready';
          this.#queue.callbacks.expire(ticket, isSent ? undefined : this.#native.state().reason, this.#lastError);
        },
        ...factories,
        commands: NAMES,
        event: this.#onEvent.bind(this),
        message: (/** @type {Buffer[]} */ message) => this.#link.onMessage?.(message),
      },
      carrier,
    );
    carrier?.attach(this.#native);
    this.#queue.onMismatch = () => this.#native.fail();
    this.#link = new Link(this.#native, this.#queue, options, (more) => {
      this.#shares += more;
    });
    addLinkOf(this, this.#link);
  }

  /** The same commands, whose strings come back as Buffers. */
  get buffers() {
    this.#buffers ??= new BufferView((command) => this._run(command, BUFFERS));
    return this.#buffers;
  }

  /**
   * @param {any} key
   * @param {any[]} more are refused, by the server too: a callback would never be called
   */
  get(key, ...more) {
    const refused =
      more.length === 0 ? this.#native.submit(GET, STRINGS, key) : this.#native.submit(GET, STRINGS, key, ...more);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, 'GET', [key, ...more]));
    return this.#answer('GET');
  }

  /**
   * @param {any} key
   * @param {any} value
   * @param {any[]} options
   */
  set(key, value, ...options) {
    const refused =
      options.length === 0
        ? this.#native.submit(SET, STRINGS, key, value)
        : this.#native.submit(SET, STRINGS, key, value, ...options);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, 'SET', [key, value, ...options]));
    return this.#answer('SET');
  }

  /**
   * @param {string} command
   * @param {any[]} args
   * @returns {Promise<any>}
   */
  async call(command, ...args) {
    return this._run(anyCommand(command, args));
  }

  /**
   * @param {Command} command
   * @param {number} [mode]
   * @returns {Promise<any>}
   */
  _run({ number, name, args, transform, endless, waits = 0 }, mode = STRINGS) {
    if (transform === bytes) mode |= BUFFERS;
    if (endless && this.#shares > 0) return Promise.reject(new RedisError('BLOCKING', blockingMessage(name), name));
    const waiting = waits > MOST_WAITS ? ENDLESS : WAITS + 256 * waits;
    const refused = this.#native.submit(number, endless ? mode + waiting : mode, ...args);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, name, args));
    const answer = this.#answer(name);
    return transform === undefined ? answer : answer.then((reply) => transform(reply, (mode & BUFFERS) !== 0));
  }

  /**
   * Commands of which the first decides whether all of them are sent.
   * @param {readonly Command[]} commands whose transforms are left to the caller; the first is MULTI
   * @returns {Array<Promise<any>>} as many as there are commands, or one that is rejected
   */
  #runTogether(commands) {
    const answers = [];
    for (const { number, name, args, transform } of commands) {
      // In a transaction no command waits.
      const mode = (answers.length === 0 ? STRINGS : JOINED) | (transform === bytes ? BUFFERS : STRINGS);
      const refused = this.#native.submit(number, mode, ...args);
      if (refused === undefined) {
        answers.push(this.#answer(name));
        continue;
      }
      // What is on its way must not run without this one.
      if (answers.length > 0) {
        for (const answer of answers) answer.catch(() => {});
        if (this.#native.submit(-1, JOINED, 'DISCARD') === undefined) this.#answer('DISCARD').catch(() => {});
      }
      return [Promise.reject(this.#refusal(refused, name, args))];
    }
    return answers;
  }

  /** Commands that are sent together; each has its own result. */
  pipeline() {
    return new Pipeline((command) => this._run(command));
  }

  /** Commands that the server runs together, with nobody's in between. */
  multi() {
    return new Transaction((commands) => this.#runTogether(commands));
  }

  /**
   * A Lua script: called by its SHA-1, and sent whole when the server does not know it.
   * @param {string} source
   */
  script(source) {
    return createScript(/** @type {any} */ (this), source);
  }

  /** @param {{ match?: string, count?: number, type?: string }} [options] */
  scan(options) {
    return scan(this, options);
  }

  /**
   * @param {any} key
   * @param {{ match?: string, count?: number }} [options]
   */
  sscan(key, options) {
    return scanKey(this, 'SSCAN', key, options);
  }

  /**
   * @param {any} key
   * @param {{ match?: string, count?: number }} [options]
   */
  hscan(key, options) {
    return scanKey(this, 'HSCAN', key, options);
  }

  /**
   * @param {any} key
   * @param {{ match?: string, count?: number }} [options]
   */
  zscan(key, options) {
    return scanKey(this, 'ZSCAN', key, options);
  }

  /**
   * @param {string | string[]} channels
   * @param {(message: any, channel: string) => void} listener
   * @param {{ buffers?: boolean }} [options]
   */
  async subscribe(channels, listener, options) {
    return this.#subscribed('SUBSCRIBE').add('SUBSCRIBE', channels, listener, options);
  }

  /**
   * @param {string | string[]} patterns
   * @param {(message: any, channel: string, pattern: any) => void} listener
   * @param {{ buffers?: boolean }} [options]
   */
  async psubscribe(patterns, listener, options) {
    return this.#subscribed('PSUBSCRIBE').add('PSUBSCRIBE', patterns, listener, options);
  }

  /**
   * @param {string | string[]} channels
   * @param {(message: any, channel: string) => void} listener
   * @param {{ buffers?: boolean }} [options]
   */
  async ssubscribe(channels, listener, options) {
    return this.#subscribed('SSUBSCRIBE').add('SSUBSCRIBE', channels, listener, options);
  }

  /**
   * When commands can be sent, and the server carries them out: one that still reads its data from disk refuses them.
   * @returns {Promise<void>}
   */
  async ready() {
    const { connectTimeout } = this.#options;
    const began = performance.now();
    const left = () => connectTimeout - (performance.now() - began);
    for (;;) {
      if (this.#closing) throw this.#refusal(CLOSED, 'ready', []);
      if (this.status !== 'ready') {
        await this.#readiness.wait(connectTimeout && Math.max(1, left()), () => this.#notReady());
      }
      const answer = await this.call('PING').catch((/** @type {unknown} */ refused) => refused);
      const error = answer instanceof RedisError ? answer : undefined;
      if (this.#closing || this.status === 'closed') throw error ?? this.#refusal(CLOSED, 'ready', []);
      // Whoever may not PING may do other things.
      if (error === undefined || !NOT_READY.has(error.code)) return;
      if (connectTimeout !== 0 && left() <= 0) {
        const message = `ready: ${TOO_LATE}: ${placeOf(this.#options)}: ${error.message}`;
        throw new RedisError('CONNECT_FAILED', message, undefined, { cause: error });
      }
      await pause(NOT_READY_MS, this.#referenced);
    }
  }

  /** @returns {Promise<void>} */
  connect() {
    return this.ready();
  }

  /** A client of its own with the same options. */
  duplicate() {
    return new RedisClient(this.#options);
  }

  /** Counters since the client was made. */
  stats() {
    return this.#native.stats();
  }

  ref() {
    this.#referenced = true;
    this.#native.setRef(true);
    this.#subscriptions?.client.ref();
    return this;
  }

  unref() {
    this.#referenced = false;
    this.#native.setRef(false);
    this.#subscriptions?.client.unref();
    return this;
  }

  /** @returns {Promise<void>} */
  async close() {
    this.#endsNow();
    this.#native.close();
    await Promise.all([this.#end, this.#subscriptions?.client.close()]);
  }

  destroy() {
    this.#endsNow();
    this.status = 'closed';
    this.#native.destroy();
    this.#subscriptions?.client.destroy();
  }

  [asyncDispose]() {
    return this.close();
  }

  /**
   * For subscriptions: a command that is answered by pushes.
   * @param {string} command
   * @param {readonly string[]} channels
   * @returns {Promise<any>}
   * @internal
   */
  _confirmed(command, channels) {
    const refused = this.#native.submit(-1, STRINGS + CONFIRMATIONS * channels.length, command, ...channels);
    if (refused !== undefined) return Promise.reject(this.#refusal(refused, command, [command, ...channels]));
    return this.#answer(command);
  }

  #endsNow() {
    this.#closing = true;
    this.#readiness.settle(this.#refusal(CLOSED, 'ready', []));
  }

  #notReady() {
    const { reason } = this.#link.state;
    // An attempt that took as long says so itself.
    const message = reason.includes(TOO_LATE) ? reason : `${TOO_LATE}: ${reason}`;
    return new RedisError('CONNECT_FAILED', `ready: ${message}`, undefined, { cause: this.#lastError });
  }

  /**
   * @param {string} name
   * @returns {Promise<any>}
   */
  #answer(name) {
    const answer = this.#queue.next(name);
    return tracer.isOn ? tracer.trace(name, this.#options, answer) : answer;
  }

  /** @param {string} name of the command, for the error */
  #subscribed(name) {
    // A connection that is made now would have nobody to close it.
    if (this.#closing) throw this.#refusal(CLOSED, name, []);
    if (this.#subscriptions === undefined) {
      // It makes its subscriptions itself, when there is a connection.
      const subscriber = new RedisClient({ ...this.#options, offlineQueue: true });
      this.#subscriptions = new Subscriptions(subscriber, (error) => this.#tellError(error));
      if (!this.#referenced) this.#subscriptions.client.unref();
    }
    return this.#subscriptions;
  }

  /**
   * An error that nobody listens for is no reason to end the process: the client mends itself.
   * @param {Error} error
   */
  #tellError(error) {
    if (this.listenerCount('error') > 0) this.#tell('error', error);
  }

  /**
   * @param {number} attempt 0: one that is made at once
   * @param {number} delay ms, unless the user says another one
   */
  #reconnecting(attempt, delay) {
    const { reconnect } = this.#options;
    if (reconnect !== undefined && attempt > 0 && !this.#closing) {
      try {
        const given = reconnect(attempt);
        if (given === false || given === null) return this.#giveUp();
        delay = reconnectDelay(given);
        this.#native.reconnectAfter(delay);
      } catch (error) {
        // It is asked again after the usual delay.
        this.#tellError(/** @type {Error} */ (error));
      }
    }
    this.#tell('reconnecting', { attempt, delay });
  }

  /** No more attempts: everything fails with the reason of the last one. */
  #giveUp() {
    this.#closing = true;
    this.#gaveUp = true;
    this.status = 'closed';
    const cause = this.#lastError;
    this.#readiness.settle(new RedisError('CONNECT_FAILED', `ready: ${cause?.message}`, undefined, { cause }));
    this.#native.giveUp();
    this.#subscriptions?.client.destroy();
  }

  /**
   * @param {string} name
   * @param {string} text
   * @param {number} first
   * @param {number} second
   */
  #onEvent(name, text, first, second) {
    switch (name) {
      case 'invalidate':
        return this.#link.onInvalidate?.(text);
      case 'untracked':
        return this.#link.onInvalidate?.('');
      case 'connect':
        return this.#tell('connect');
      case 'ready':
        this.status = 'ready';
        this.#everReady = true;
        this.#lastError = undefined;
        this.#readiness.settle();
        return this.#tell('ready');
      case 'credentials':
        return void this.#authenticate(first);
      case 'close':
        if (this.status !== 'closed') this.status = 'reconnecting';
        return this.#tell('close', { reason: text });
      case 'reconnecting':
        this.status = 'reconnecting';
        return this.#reconnecting(first, second);
      case 'error': {
        const space = text.indexOf(' ');
        this.#lastError = new RedisError(text.slice(0, space), text.slice(space + 1));
        if (!this.#everReady && !this.#closing) this.#unreachable(this.#lastError);
        return this.#tellError(this.#lastError);
      }
      default:
        this.status = 'closed';
        return this.#ended();
    }
  }

  /** @param {Error} error */
  #unreachable(error) {
    let isTold = this.listenerCount('error') > 0;
    for (const tell of this.#link.onUnreachable) isTold = tell(error) || isTold;
    if (!isTold) warnUnreachable(placeOf(this.#options), error.message);
  }

  /** @param {number} connection */
  async #authenticate(connection) {
    try {
      const { credentials } = this.#options;
      if (credentials === undefined) return;
      const [username, password] = await credentials();
      this.#native.authenticate(connection, username, password);
    } catch (error) {
      this.#native.cannotAuthenticate(connection, `no password could be had: ${messageOf(error)}`);
    }
  }

  /**
   * A listener that throws must not break the delivery of replies: it throws on its own.
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, ...details) {
    callListener(() => this.emit(name, ...details));
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
    const hasReason = refused === UNAVAILABLE || (refused === CLOSED && this.#gaveUp);
    const text = hasReason ? `${message}: ${this.#native.state().reason}` : message;
    return new RedisError(code, `${name}: ${text}`, name, hasReason ? { cause: this.#lastError } : undefined);
  }
}

addCommands(RedisClient.prototype);

/** @typedef {RedisClient} Client */

module.exports = { RedisClient };
