'use strict';
// Subscriptions of a client: on a connection of their own, made again after every reconnect. Messages that were published
// in between are lost, as always with Redis' publish and subscribe.
const { invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { linkOf } = require('./link');
const { callListener } = require('../util/call-listener');

/** What ends each kind, and what its messages are called. */
const KINDS = {
  SUBSCRIBE: { end: 'UNSUBSCRIBE', message: 'message' },
  PSUBSCRIBE: { end: 'PUNSUBSCRIBE', message: 'pmessage' },
  SSUBSCRIBE: { end: 'SUNSUBSCRIBE', message: 'smessage' },
};

/**
 * @typedef {(message: any, channel: string, pattern: any) => void} Listener
 * @typedef {{ listener: Listener, buffers: boolean }} Subscriber
 * @typedef {keyof typeof KINDS} Kind
 */

/** @param {unknown} channels */
function channelList(channels) {
  const list = Array.isArray(channels) ? channels : [channels];
  if (list.length === 0) throw invalid('channels', 'at least one channel', channels);
  for (const channel of list) {
    if (typeof channel !== 'string' || channel === '') throw invalid('channel', 'a string that is not empty', channel);
  }
  return [...new Set(list)];
}

class Subscriptions {
  /** @type {Map<string, Set<Subscriber>>} message kind and channel or pattern */
  #subscribers = new Map();
  /** @type {Map<string, Promise<any>>} the same keys, while the server has not confirmed them */
  #confirming = new Map();

  /**
   * @param {import('./client').Client} client of their own
   * @param {(error: Error) => void} onError
   */
  constructor(client, onError) {
    this.client = client;
    this.onError = onError;
    linkOf(client).onMessage = (parts) => this.#deliver(parts);
    let readyBefore = false;
    client.on('ready', () => {
      // What was asked for before the first connection waits in its queue.
      if (readyBefore) this.#again();
      readyBefore = true;
    });
    client.on('error', onError);
  }

  /**
   * @param {Kind} kind
   * @param {unknown} channels
   * @param {Listener} listener
   * @param {any} [options]
   */
  async add(kind, channels, listener, options = {}) {
    const list = channelList(channels);
    if (typeof listener !== 'function') throw invalid('listener', 'a function', listener);
    const { buffers = false } = knownOptions(options, 'options', ['buffers']);
    const subscriber = { listener, buffers };
    const { message } = KINDS[kind];
    const fresh = list.filter((channel) => !this.#subscribers.has(`${message} ${channel}`));
    for (const channel of list) {
      const key = `${message} ${channel}`;
      const known = this.#subscribers.get(key);
      if (known === undefined) this.#subscribers.set(key, new Set([subscriber]));
      else known.add(subscriber);
    }
    try {
      if (fresh.length > 0) this.#confirm(kind, fresh);
      // Also what another listener has asked for already.
      await Promise.all(list.map((channel) => this.#confirming.get(`${message} ${channel}`)));
    } catch (error) {
      this.#forget(message, list, subscriber);
      throw error;
    }
    return {
      unsubscribe: async () => {
        const empty = this.#forget(message, list, subscriber);
        if (empty.length > 0 && this.client.status === 'ready') await this.client._confirmed(KINDS[kind].end, empty);
      },
    };
  }

  /**
   * @param {string} message
   * @param {readonly string[]} list
   * @param {Subscriber} subscriber
   * @returns {string[]} those that nobody listens to any more
   */
  #forget(message, list, subscriber) {
    return list.filter((channel) => {
      const key = `${message} ${channel}`;
      const known = this.#subscribers.get(key);
      if (known === undefined || !known.delete(subscriber) || known.size > 0) return false;
      return this.#subscribers.delete(key);
    });
  }

  /**
   * @param {Kind} kind
   * @param {readonly string[]} channels
   */
  #confirm(kind, channels) {
    const confirmed = this.client._confirmed(kind, channels);
    const keys = channels.map((channel) => `${KINDS[kind].message} ${channel}`);
    for (const key of keys) this.#confirming.set(key, confirmed);
    const done = () => {
      for (const key of keys) if (this.#confirming.get(key) === confirmed) this.#confirming.delete(key);
    };
    confirmed.then(done, done);
    return confirmed;
  }

  /** After a reconnect. */
  #again() {
    for (const kind of /** @type {Kind[]} */ (Object.keys(KINDS))) {
      const { message } = KINDS[kind];
      const prefix = `${message} `;
      const channels = [...this.#subscribers.keys()].filter((key) => key.startsWith(prefix));
      if (channels.length === 0) continue;
      const names = channels.map((key) => key.slice(prefix.length));
      // A sharded channel each on its own: several need not share a slot.
      const groups = kind === 'SSUBSCRIBE' ? names.map((name) => [name]) : [names];
      for (const group of groups) this.#confirm(kind, group).catch(this.onError);
    }
  }

  /** @param {Buffer[]} parts ['message', channel, payload] or ['pmessage', pattern, channel, payload] */
  #deliver(parts) {
    const kind = String(parts[0]);
    const subscribers = this.#subscribers.get(`${kind} ${parts[1]}`);
    if (subscribers === undefined) return;
    const payload = parts[parts.length - 1];
    const channel = String(parts[parts.length - 2]);
    const text = String(payload);
    for (const { listener, buffers } of [...subscribers]) {
      callListener(() =>
        listener(buffers ? payload : text, channel, kind === 'pmessage' ? String(parts[1]) : undefined),
      );
    }
  }
}

/** @typedef {Subscriptions} SubscriptionsOf */

module.exports = { Subscriptions };
