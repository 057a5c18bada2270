'use strict';
// SessionStore: a store for express-session. Here are its callbacks, promises and events; what it does is in
// stored-sessions.js.
const asyncDispose = require('../../util/async-dispose');
const { createForm } = require('./formats');
const { loadExpressSession } = require('./load-express-session');
const { openRecords } = require('../storage/open-records');
const { normalizeStoreOptions } = require('./store-options');
const { Listing } = require('./listing');
const { StoredSessions } = require('./stored-sessions');
const { callListener } = require('../../util/call-listener');

/** @type {{ Store: any }} */
const { Store } = loadExpressSession();

/** @typedef {(error: any, result?: any) => void} Callback */

class SessionStore extends Store {
  #records;
  #sessions;
  #listing;

  /** @param {import('../../../types/session').SessionStoreOptions} [given] */
  constructor(given) {
    super();
    const options = normalizeStoreOptions(given);
    const form = createForm(options);
    this.#records = openRecords(options, (connected) => this.#tell(connected ? 'connect' : 'disconnect'));
    this.#sessions = new StoredSessions(this.#records, form, options, {
      error: (error) => this.#report(error),
      conflict: (id, outcome) => this.#tell('conflict', { id, outcome }),
    });
    this.#listing = new Listing(this.#records, options, form.binary, (name, value) =>
      this.#sessions.listed(name, value),
    );
    this.prefix = options.prefix;
  }

  /**
   * @param {string} id
   * @param {Callback} [callback] null for no session
   */
  get(id, callback) {
    return this.#answer(callback, (done) => this.#sessions.get(id, done));
  }

  /**
   * @param {string} id
   * @param {any} session
   * @param {Callback} [callback]
   */
  set(id, session, callback) {
    return this.#answer(callback, (done) => ended(this.#sessions.set(id, session), done));
  }

  /**
   * @param {string} id
   * @param {any} session
   * @param {Callback} [callback]
   */
  touch(id, session, callback) {
    return this.#answer(callback, (done) => this.#sessions.touch(id, session, done));
  }

  /**
   * @param {string} id
   * @param {Callback} [callback]
   */
  destroy(id, callback) {
    return this.#answer(callback, (done) => ended(this.#sessions.destroy(id), done));
  }

  /** @param {Callback} [callback] */
  all(callback) {
    return this.#answer(callback, (done) => this.#listing.all().then((found) => done(null, found), done));
  }

  /** @param {Callback} [callback] */
  length(callback) {
    return this.#answer(callback, (done) => this.#listing.length().then((found) => done(null, found), done));
  }

  /** @param {Callback} [callback] */
  ids(callback) {
    return this.#answer(callback, (done) => this.#listing.ids().then((found) => done(null, found), done));
  }

  /** @param {Callback} [callback] */
  clear(callback) {
    return this.#answer(callback, (done) => ended(this.#listing.clear(), done));
  }

  /**
   * @param {any} req
   * @param {Callback} [callback]
   */
  regenerate(req, callback) {
    return this.#answer(callback, (done) => {
      const generate = (/** @type {any} */ error) => {
        try {
          /** @type {any} */ (this).generate(req);
        } catch (failure) {
          return done(error ?? failure);
        }
        return done(error);
      };
      ended(this.#sessions.destroy(req.sessionID), generate);
    });
  }

  /**
   * express-session: makes the session of a request of what get() gave.
   * @param {any} req
   * @param {any} data
   */
  createSession(req, data) {
    const session = super.createSession(req, data);
    this.#sessions.carry(data, session);
    return session;
  }

  /** @returns {Promise<void>} */
  async [asyncDispose]() {
    await this.close();
  }

  /** Ends the connection, if it is the store's own. */
  async close() {
    await this.#records.close();
  }

  /**
   * Runs an operation. With a callback: calls it, once, and returns nothing. Without: a promise whose rejection, if nobody
   * looks at it, is an 'error' event and never the end of the process.
   * @param {Callback | undefined} callback
   * @param {(done: Callback) => void} operation
   * @returns {Promise<any> | undefined}
   */
  #answer(callback, operation) {
    if (typeof callback !== 'function') return this.#promise(operation);
    const done = (/** @type {any} */ error, /** @type {any} */ result) => {
      if (error) this.#records.noteError(error);
      callListener(() => (error ? callback(error) : callback(null, result)));
    };
    try {
      operation(done);
    } catch (error) {
      process.nextTick(done, error);
    }
    return undefined;
  }

  /**
   * @param {(done: Callback) => void} operation
   * @returns {Promise<any>}
   */
  #promise(operation) {
    const promise = new Promise((resolve, reject) => {
      operation((error, result) => (error ? reject(error) : resolve(result)));
    });
    promise.catch((error) => {
      this.#records.noteError(error);
      this.#report(error);
    });
    return promise;
  }

  /** @param {any} error */
  #report(error) {
    // Nobody listens: no reason to end the process, which is what 'error' would do.
    if (/** @type {any} */ (this).listenerCount('error') > 0) this.#tell('error', error);
  }

  /**
   * A listener that throws must not change what becomes of an operation: it throws on its own.
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, ...details) {
    callListener(() => /** @type {any} */ (this).emit(name, ...details));
  }
}

/**
 * @param {Promise<unknown>} work without a result
 * @param {Callback} done
 */
function ended(work, done) {
  // Whatever it was that was thrown: without an error it would pass for success.
  work.then(
    () => done(null),
    (error) => done(error ?? new Error('failed without an error')),
  );
}

module.exports = { SessionStore };
