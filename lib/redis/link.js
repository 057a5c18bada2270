'use strict';
// What the layers above may do on the connection of a client besides sending commands: cache tiers travel on it, sessions
// listen to changes on it. Not part of the public class.

/** @typedef {import('./types').LinkState} LinkState */

class Link {
  #native;
  #queue;
  #onShares;
  /** @type {((message: Buffer[]) => void) | undefined} */
  onMessage = undefined;
  /** @type {((key: string) => void) | undefined} called with keys that have changed since they were read; '': any may have */
  onInvalidate = undefined;
  /**
   * Called while the server was never reached, each time that it was not; true: somebody is told.
   * @type {Set<(error: Error) => boolean>}
   */
  onUnreachable = new Set();

  /**
   * @param {any} native the connection, as binding.createClient() made it
   * @param {import('./reply-queue').ReplyQueue} queue
   * @param {import('./options').NativeRedisOptions} options of the client
   * @param {(more: 1 | -1) => void} onShares
   */
  constructor(native, queue, options, onShares) {
    this.#native = native;
    this.#queue = queue;
    this.options = options;
    this.#onShares = onShares;
  }

  /** The native connection, for the native side of a cache. */
  get native() {
    return this.#native;
  }

  /** @returns {LinkState} */
  get state() {
    return this.#native.state();
  }

  /**
   * The reply to the command that the native side has just sent.
   * @param {string} command its name, for errors
   * @returns {Promise<any>}
   */
  reply(command) {
    return this.#queue.next(command);
  }

  /** A cache travels on it: commands that block are refused from now on. */
  share() {
    this.#onShares(1);
  }

  unshare() {
    this.#onShares(-1);
  }

  /** @param {(key: string) => void} listener */
  track(listener) {
    this.onInvalidate = listener;
    this.#native.track();
  }
}

/** @typedef {Link} LinkInstance */

/** @type {WeakMap<object, Link>} */
const links = new WeakMap();

/**
 * @param {object} client
 * @param {Link} link
 */
const addLinkOf = (client, link) => void links.set(client, link);

/**
 * @param {import('./client').Client} client
 * @returns {Link}
 */
const linkOf = (client) => /** @type {Link} */ (links.get(client));

module.exports = { Link, addLinkOf, linkOf };
