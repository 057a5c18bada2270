'use strict';
// createSessions: sessions without express-session. A session is one record; whether it is good is decided by that record
// and by the generation of its user's sessions (sessions-generations.js). Nothing of it is kept in the memory of the
// process: what one process ends is ended for all with the next read.
const asyncDispose = require('../../util/async-dispose');
const { EventEmitter } = require('node:events');
const { RedisError } = require('../../errors');
const { invalid } = require('../../options/invalid');
const { knownOptions } = require('../../options/known');
const { clearTimeout, setTimeout } = require('../../timers');
const { SessionError } = require('../errors');
const { openRecords } = require('../storage/open-records');
const { SessionAccess } = require('./session-repository');
const { changeOf, encodeData } = require('./data-patch');
const { normalizeSessionsOptions, parseNewSession, parseUserId } = require('./sessions-options');
const { Places } = require('./session-keys');

// For so long a change is tried that others overtake again and again.
const MOST_MS = 5000;
const LONGEST_PAUSE_MS = 32;
// A change that takes longer, since the application's function does, holds up the others of this process no more.
const LONGEST_TURN_MS = 1000;

/**
 * @typedef {import('./record-format').Stored} Stored
 * @typedef {import('./session-keys').Place} Place
 */

/**
 * What a list shows of a session.
 * @param {Place} at
 * @param {Stored} stored
 */
const entryOf = ({ handle }, { body, lastUse }) => ({
  handle,
  userId: body.u,
  label: body.l,
  userAgent: body.a,
  createdAt: new Date(body.c),
  lastUsedAt: new Date(lastUse),
  expiresAt: new Date(Math.min(lastUse + body.t, body.e)),
});

class Sessions extends EventEmitter {
  #options;
  #records;
  #places;
  #access;
  #closed = false;
  /** The last change of a session that is under way in this process. @type {Map<string, Promise<void>>} */
  #turns = new Map();
  /** What is stored of the sessions that were given out. @type {WeakMap<object, Stored>} */
  #given = new WeakMap();

  /** @param {unknown} options */
  constructor(options) {
    super();
    this.#options = normalizeSessionsOptions(options);
    this.#places = new Places(this.#options);
    this.#records = openRecords(this.#options, (connected) => this.emit(connected ? 'connect' : 'disconnect'));
    this.#access = new SessionAccess({
      records: this.#records,
      places: this.#places,
      sealer: this.#options.sealer,
      // Nobody has to listen.
      tell: (error) => this.listenerCount('error') > 0 && this.emit('error', error),
    });
  }

  /** The cache that it was given, for the layers above. */
  get cache() {
    return this.#options.cache;
  }

  /** Sessions of another prefix are those of other users. */
  get prefix() {
    return this.#options.prefix;
  }

  /**
   * @param {Record<string, any>} [data]
   * @param {any} [options]
   */
  async create(data = {}, options = {}) {
    const { userId, label, userAgent, ttl, maxAge } = parseNewSession(options, this.#options);
    const text = encodeData(data);
    const id = this.#places.newId();
    const at = this.#places.of(id);
    const now = Date.now();
    const meta = { u: userId, c: now, e: now + maxAge, t: ttl, l: label, a: userAgent };
    return this.#give(id, at, await this.#guarded(() => this.#access.create(at, meta, text)));
  }

  /** @param {string} id */
  async get(id) {
    const at = this.#places.find(id);
    const stored = at && (await this.#guarded(() => this.#access.read(at)));
    return at && stored && this.#give(id, at, stored);
  }

  /** @param {string} id */
  async exists(id) {
    const at = this.#places.find(id);
    return at !== undefined && (await this.#guarded(() => this.#access.read(at))) !== undefined;
  }

  /**
   * @param {string} id
   * @param {Record<string, any>} data
   * @returns {Promise<boolean>} whether there is such a session
   */
  async set(id, data) {
    const text = encodeData(data);
    return (await this.#change(id, () => text)) !== undefined;
  }

  /**
   * @param {string} id
   * @param {any} change a patch of its top level, or a function of the data
   */
  async update(id, change) {
    const changed = await this.#change(id, changeOf(change));
    if (changed === undefined) return undefined;
    const { at, stored, data } = changed;
    return this.#give(id, at, { ...stored, body: { ...stored.body, d: JSON.parse(data) } });
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether there was one
   */
  async destroy(id) {
    const at = this.#places.find(id);
    return at !== undefined && this.#guarded(() => this.#access.remove(at));
  }

  /**
   * @param {string | { id: string }} idOrSession what get() gave needs not be read again
   * @returns {Promise<boolean>} whether there is such a session
   */
  async refresh(idOrSession) {
    const isId = typeof idOrSession === 'string';
    const given = isId ? undefined : this.#given.get(idOrSession ?? this);
    if (!isId && given === undefined) throw invalid('session', 'an id, or a session that get() gave', idOrSession);
    const at = this.#places.find(isId ? idOrSession : idOrSession.id);
    if (at === undefined) return false;
    return this.#guarded(async () => {
      const stored = given ?? (await this.#access.read(at));
      return stored !== undefined && this.#access.touch(at, stored);
    });
  }

  /**
   * What stands for a session where its id must not: in lists.
   * @param {string} id
   */
  handleOf(id) {
    const at = this.#places.find(id);
    if (at === undefined) throw new TypeError('session id: expected one that create() gave');
    return at.handle;
  }

  /** @param {string | number | bigint} userId */
  async allForUser(userId) {
    const user = parseUserId(userId);
    const { good } = await this.#guarded(() => this.#access.survey(user));
    return good
      .map(({ at, stored }) => entryOf(at, stored))
      .sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime());
  }

  /**
   * @param {string | number | bigint} userId
   * @param {string} handle
   * @returns {Promise<boolean>} whether the user had such a session
   */
  async destroyForUser(userId, handle) {
    const user = parseUserId(userId);
    if (typeof handle !== 'string') throw invalid('handle', 'a string', handle);
    return this.#guarded(async () => {
      const at = (await this.#access.listed(user)).find((one) => one.handle === handle);
      // The list says whose it is; the session itself decides.
      const stored = at && (await this.#access.read(at));
      return at !== undefined && stored?.body.u === user && this.#access.remove(at);
    });
  }

  /**
   * @param {string | number | bigint} userId
   * @param {any} [options]
   * @returns {Promise<number>} how many there were, as far as the list knows
   */
  async destroyAllForUser(userId, options = {}) {
    const user = parseUserId(userId);
    const { except } = knownOptions(options, 'options', ['except']);
    const at = except === undefined ? undefined : this.#places.find(except);
    const ended = await this.#guarded(async () => {
      const stored = at && (await this.#access.read(at));
      return this.#access.endAll(user, at && stored?.body.u === user ? { at, stored } : undefined);
    });
    if (!ended) return 0;
    // From here on they are no sessions any more. That their memory is given back is not worth an error.
    try {
      return (await this.#access.survey(user)).removed;
    } catch (error) {
      this.#records.noteError(error);
      return 0;
    }
  }

  /** @returns {Promise<void>} */
  async [asyncDispose]() {
    await this.close();
  }

  /** Ends the connection, if it is one of its own. */
  async close() {
    this.#closed = true;
    await this.#records.close();
  }

  /**
   * Never where there is no session any more.
   * @param {string} id
   * @param {(data: Record<string, any>) => string | Promise<string>} change called again when somebody was faster
   */
  async #change(id, change) {
    const at = this.#places.find(id);
    return at === undefined ? undefined : this.#inTurn(at.key, () => this.#compareAndSet(at, change));
  }

  /**
   * @param {Place} at
   * @param {(data: Record<string, any>) => string | Promise<string>} change
   */
  async #compareAndSet(at, change) {
    const began = performance.now();
    for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const stored = await this.#guarded(() => this.#access.read(at));
      if (stored === undefined) return undefined;
      const data = await change(stored.body.d);
      const outcome = await this.#guarded(() => this.#access.write(at, stored, data));
      if (outcome === 'gone') return undefined;
      if (outcome !== 'changed') return { at, stored: outcome, data };
      if (performance.now() - began > MOST_MS) {
        throw new SessionError('SESSION_CONFLICT', `others changed the session all the time, for ${MOST_MS} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, pause * Math.random()));
    }
  }

  /**
   * Changes of one session by this process come one after the other: together, all but one would be in vain.
   * @template T
   * @param {string} key
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #inTurn(key, work) {
    const previous = this.#turns.get(key);
    /** @type {() => void} */
    let end = () => {};
    /** @type {Promise<void>} */
    const turn = new Promise((resolve) => {
      end = resolve;
    });
    this.#turns.set(key, turn);
    await previous;
    const timer = setTimeout(end, LONGEST_TURN_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      end();
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /**
   * What the application is given: an object of its own.
   * @param {string} id
   * @param {Place} at
   * @param {Stored} stored
   */
  #give(id, at, stored) {
    const session = { id, ...entryOf(at, stored), data: stored.body.d };
    this.#given.set(session, stored);
    return session;
  }

  /**
   * One kind of error for whatever keeps Redis from answering.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #guarded(work) {
    if (this.#closed) throw new SessionError('SESSION_CLOSED', 'sessions: they are closed');
    try {
      return await work();
    } catch (error) {
      this.#records.noteError(error);
      if (!(error instanceof RedisError)) throw error;
      const code = error.code === 'CLIENT_CLOSED' ? 'SESSION_CLOSED' : 'SESSION_UNAVAILABLE';
      throw new SessionError(code, `sessions: ${error.message}`, { cause: error });
    }
  }
}

/** @param {unknown} [options] */
const createSessions = (options = {}) => new Sessions(options);

/** @typedef {Sessions} SessionsInstance */

module.exports = { createSessions, Sessions };
