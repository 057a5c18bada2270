'use strict';
// What SessionStore does, as promises: reading, writing against what was loaded, touching, removing, listing.
const { SessionError } = require('../errors');
const { isPast, maxAgeField, sameMaxAge, timeOf } = require('./formats/expiry');
const { isObject } = require('./formats/json');
const { checkId, hashId } = require('../tokens/ids');
const { Loaded, loadedOf, remember } = require('./loaded-session');
const { merge } = require('./merge');
const { Touches } = require('./touches');

// Each failure means that somebody else has written: one of them gets on.
const MOST_TRIES = 250;
const EXPIRED = -1;

/** @typedef {(error: any, result?: any) => void} Done it must not throw */

/** @param {any} value */
const isPromise = (value) => typeof value?.then === 'function';

class StoredSessions {
  #records;
  #form;
  #options;
  #events;
  #touches;
  #hash;
  #binary;

  /**
   * @param {import('../storage/redis-records').Records} records
   * @param {import('./formats').Form} form
   * @param {import('./store-options').StoreOptions} options
   * @param {{ error: (error: Error) => void, conflict: (id: string, outcome: 'merged' | 'rejected' | 'gone') => void }} events
   */
  constructor(records, form, options, events) {
    this.#records = records;
    this.#form = form;
    this.#options = options;
    this.#events = events;
    this.#hash = options.hashIds;
    this.#binary = form.binary;
    this.#touches = new Touches((id, touch, done) => this.#sendTouch(id, touch, done), options.touchAfter);
  }

  /**
   * What stands for an id behind the prefix.
   * @param {string} id
   */
  #name(id) {
    return this.#hash ? hashId(checkId(id)) : checkId(id);
  }

  // ---------------------------------------------------------------------------------------------------------- reading

  /**
   * @param {string} id
   * @param {Done} done null without one
   */
  get(id, done) {
    const name = this.#name(id);
    this.#records.get(this.#options.prefix + name, this.#binary).then((value) => {
      const session = value === null ? null : this.#read(id, name, value);
      if (isPromise(session)) session.then((/** @type {any} */ late) => done(null, late), done);
      else done(null, session);
    }, done);
  }

  /**
   * The session in a record of a listing, with its id; null when there is none, or none that can be read.
   * @param {string} name
   * @param {any} value
   */
  async listed(name, value) {
    const session = value === null ? null : await this.#read(name, name, value, false);
    if (session !== null) session.id = name;
    return session;
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {any} value
   * @param {boolean} [keep] remembers it as what a request has loaded
   */
  #read(id, name, value, keep = true) {
    try {
      const decoded = this.#form.decode(name, value);
      if (!isPromise(decoded)) return this.#usable(id, value, /** @type {any} */ (decoded), keep);
      return /** @type {Promise<any>} */ (decoded)
        .then((late) => this.#usable(id, value, late, keep))
        .catch((error) => this.#unreadable(id, error));
    } catch (error) {
      return this.#unreadable(id, error);
    }
  }

  /**
   * @param {string} id
   * @param {any} value
   * @param {import('./formats/json').Decoded | undefined} decoded
   * @param {boolean} keep
   */
  #usable(id, value, decoded, keep) {
    if (decoded === undefined) return this.#unreadable(id);
    const { session, mark, whole } = decoded;
    const { cookie } = session;
    if (isPast(cookie?.expires)) {
      // Of another store: its touches move the end of the key alone, so that the key decides, if it can.
      if (!whole || this.#options.disableTTL || !(cookie.originalMaxAge > 0)) return null;
      cookie.expires = new Date(Date.now() + cookie.originalMaxAge).toISOString();
    }
    if (keep) remember(session, new Loaded(this, id, mark, whole, value, cookie?.expires, cookie?.originalMaxAge));
    return session;
  }

  /**
   * @param {string} id
   * @param {unknown} [cause]
   * @returns {null}
   */
  #unreadable(id, cause) {
    const message = 'what is stored for a session cannot be read';
    this.#events.error(new SessionError('SESSION_UNREADABLE', message, { id, cause }));
    return null;
  }

  /**
   * The object that stands for a session from now on.
   * @param {object} from as it was loaded
   * @param {object} to
   */
  carry(from, to) {
    const loaded = loadedOf(from);
    if (loaded !== undefined) remember(to, loaded);
  }

  /**
   * @param {string} id
   * @param {object} session
   */
  #loadedAs(id, session) {
    const loaded = loadedOf(session);
    return loaded?.id === id && loaded.owner === this ? loaded : undefined;
  }

  // ---------------------------------------------------------------------------------------------------------- writing

  /**
   * @param {string} id
   * @param {any} session
   * @returns {Promise<unknown>}
   */
  set(id, session) {
    const name = this.#name(id);
    if (!isObject(session)) throw new TypeError('session: expected an object');
    const loaded = this.#loadedAs(id, session);
    const ms = this.#lifetime(session);
    if (ms !== EXPIRED) {
      const encoded = this.#form.encode(name, session);
      if (!isPromise(encoded)) return this.#write(id, name, session, loaded, /** @type {any} */ (encoded), ms);
      return /** @type {Promise<any>} */ (encoded).then((late) => this.#write(id, name, session, loaded, late, ms));
    }
    // The end that was loaded: others may have moved it since. One that was set since is meant.
    if (loaded === undefined || loaded.ends !== timeOf(session.cookie?.expires)) return this.destroy(id);
    return this.#writeLate(id, name, loaded, session);
  }

  /**
   * @param {any} session
   * @returns {number} ms; 0 for ever; EXPIRED
   */
  #lifetime(session) {
    const { disableTTL, ttlDecides, ttlOf } = this.#options;
    const ends = isObject(session.cookie) ? timeOf(session.cookie.expires) : Number.NaN;
    const hasEnd = !Number.isNaN(ends);
    const left = hasEnd ? Math.ceil(ends - Date.now()) : 0;
    if (hasEnd && left <= 0) return EXPIRED;
    if (hasEnd && !ttlDecides) return disableTTL ? 0 : left;
    const ms = ttlOf(session);
    if (ms <= 0) return EXPIRED;
    return disableTTL ? 0 : ms;
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {any} session
   * @param {import('./loaded-session').LoadedSession | undefined} loaded
   * @param {import('./formats/json').Encoded} encoded
   * @param {number} ms
   * @returns {Promise<unknown>}
   */
  #write(id, name, session, loaded, encoded, ms) {
    const key = this.#options.prefix + name;
    const { cookie } = session;
    const { expires, originalMaxAge } = cookie ?? {};
    const ends = ms === 0 ? Infinity : Date.now() + ms;
    if (loaded === undefined) {
      return this.#records.put(key, encoded.value, ms).then(() => {
        this.#touches.note(id, ends, originalMaxAge);
        // A session of a request exists from now on, and its next save must not bring it back; a plain object says nothing.
        if (session.req?.session !== session) return;
        const { mark, whole, value } = encoded;
        remember(session, new Loaded(this, id, mark, whole, value, expires, originalMaxAge));
      });
    }
    return loaded.inTurn(async () => {
      if (await this.#writeLoaded(id, name, loaded, encoded, ms)) this.#touches.note(id, ends, originalMaxAge);
    });
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {import('./loaded-session').LoadedSession} loaded
   * @param {import('./formats/json').Encoded} encoded
   * @param {number} ms
   * @returns {Promise<boolean>} whether it was written as it is
   */
  async #writeLoaded(id, name, loaded, encoded, ms) {
    const key = this.#options.prefix + name;
    if (this.#options.onConflict === 'last-wins') {
      const there = await this.#records.replace(key, encoded.value, ms);
      if (!there) this.#gone(id);
      return there;
    }
    // What others wrote was merged with what this request had, and it does not have it itself.
    let answer = /** @type {any} */ (loaded.stored);
    if (loaded.isCurrent) {
      answer = await this.#swap(key, loaded, loaded, encoded, ms, encoded.value);
      if (answer === 1) return true;
    }
    // Found as the answer: once, since it is forgotten then.
    if (loaded.recognizes(answer)) return this.#writeLoaded(id, name, loaded, encoded, ms);
    if (answer === 0) this.#gone(id);
    else await this.#resolve(id, name, loaded, encoded, answer);
    return false;
  }

  /**
   * @param {string} key
   * @param {import('./loaded-session').LoadedSession} loaded
   * @param {{ mark: string | Buffer, whole: boolean }} expected what must be there
   * @param {import('./formats/json').Encoded} next
   * @param {number} ms
   * @param {string | Buffer} seen what the object in the request reflects
   * @returns {Promise<any>} as swap() of the records
   */
  async #swap(key, loaded, { mark, whole }, next, ms, seen) {
    try {
      const answer = await this.#records.swap(key, mark, whole, next.value, ms, this.#binary);
      if (answer === 1) loaded.wrote(next, seen);
      return answer;
    } catch (error) {
      loaded.mayHaveWritten(next, seen);
      throw error;
    }
  }

  /**
   * Somebody else has written since.
   * @param {string} id
   * @param {string} name
   * @param {import('./loaded-session').LoadedSession} loaded
   * @param {import('./formats/json').Encoded} encoded mine
   * @param {any} current
   */
  async #resolve(id, name, loaded, encoded, current) {
    const { onConflict, prefix } = this.#options;
    const key = prefix + name;
    if (onConflict === 'reject') {
      this.#events.conflict(id, 'rejected');
      const message = 'the session was changed by somebody else since it was loaded';
      throw new SessionError('SESSION_CONFLICT', message, { id });
    }
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      // Fresh objects each time: whatever is made of them is changed.
      const base = await this.#sessionIn(name, loaded.seen);
      const mine = await this.#sessionIn(name, encoded.value);
      const theirs = await this.#decode(name, current);
      let result = mine;
      if (theirs === undefined) this.#unreadable(id);
      else if (typeof onConflict === 'function') result = await onConflict(base, mine, theirs.session);
      else result = merge(base, mine, theirs.session);
      if (!isObject(result)) throw new TypeError('onConflict: expected a session to be returned, got no object');
      const ms = this.#lifetime(result);
      if (ms === EXPIRED) return this.#gone(id);
      const next = await this.#form.encode(name, result);
      const { mark, whole } = theirs ?? { mark: current, whole: true };
      current = await this.#swap(key, loaded, { mark, whole }, next, ms, encoded.value);
      if (current === 0) return this.#gone(id);
      if (current === 1) {
        this.#touches.forget(id);
        return this.#events.conflict(id, 'merged');
      }
      // What this request has of it is in it already.
      loaded.recognizes(current);
    }
    throw new SessionError('SESSION_CONFLICT', `the session was changed ${MOST_TRIES} times while it was merged`, {
      id,
    });
  }

  /**
   * A session whose end, as it was loaded, has passed before it was saved: it is written with the end that it has by now,
   * if it still lives.
   * @param {string} id
   * @param {string} name
   * @param {import('./loaded-session').LoadedSession} loaded
   * @param {any} session
   */
  async #writeLate(id, name, loaded, session) {
    // With any end that is to come; what is stored decides below.
    const { cookie } = session;
    const data = typeof cookie.toJSON === 'function' ? cookie.toJSON() : cookie;
    const encoded = await this.#form.encode(name, { ...session, cookie: { ...data } });
    const current = await this.#records.get(this.#options.prefix + name, this.#binary);
    const theirs = current === null ? undefined : await this.#decode(name, current);
    const ends = timeOf(theirs?.session.cookie?.expires);
    if (theirs === undefined || ends <= Date.now()) return this.#gone(id);
    const mine = await this.#sessionIn(name, encoded.value);
    mine.cookie = { ...mine.cookie, expires: theirs.session.cookie.expires };
    const renewed = await this.#form.encode(name, mine);
    const ms = this.#lifetime(mine);
    if (ms === EXPIRED) return this.#gone(id);
    return loaded.inTurn(() => this.#writeLoaded(id, name, loaded, renewed, ms));
  }

  /**
   * @param {string} name
   * @param {any} value
   * @returns {Promise<import('./formats/json').Decoded | undefined>}
   */
  async #decode(name, value) {
    try {
      return await this.#form.decode(name, value);
    } catch {
      return undefined;
    }
  }

  /**
   * What this process has read or written itself.
   * @param {string} name
   * @param {any} value
   */
  async #sessionIn(name, value) {
    return (await this.#form.decode(name, value))?.session;
  }

  /** @param {string} id */
  #gone(id) {
    this.#touches.forget(id);
    this.#events.conflict(id, 'gone');
  }

  // --------------------------------------------------------------------------------------------------------- touching

  /**
   * @param {string} id
   * @param {any} session
   * @param {Done} done
   */
  touch(id, session, done) {
    checkId(id);
    if (this.#options.disableTouch) return process.nextTick(done, null);
    const cookie = session?.cookie;
    const loaded = isObject(session) ? this.#loadedAs(id, session) : undefined;
    const ends = timeOf(cookie?.expires);
    const ms = this.#lifetime(session ?? {});
    if (ms === EXPIRED) {
      if (loaded?.ends === ends) return process.nextTick(done, null);
      return this.destroy(id).then(() => done(null), done);
    }
    const same = loaded !== undefined && sameMaxAge(loaded.maxAge, cookie?.originalMaxAge);
    const maxAge = same ? loaded.maxAge : cookie?.originalMaxAge;
    const touch = { expires: cookie?.expires, ends: ms === 0 ? Infinity : Date.now() + ms, maxAge, loaded };
    return this.#touches.touch(id, touch, done);
  }

  /**
   * @param {string} id
   * @param {import('./touches').Touch} touch
   * @param {Done} done
   */
  #sendTouch(id, { expires, ends, maxAge, loaded }, done) {
    const name = this.#name(id);
    const key = this.#options.prefix + name;
    const ms = ends === Infinity ? 0 : Math.max(1, ends - Date.now());
    // This request leaves maxAge as it was: where another has changed it meanwhile, that holds.
    const only = loaded !== undefined && loaded.maxAge === maxAge && !this.#binary ? maxAgeField(maxAge) : undefined;
    const cookie = { expires, originalMaxAge: maxAge };
    // A changed maxAge is a writing like any other: a save of what was loaded before has to notice.
    const rewrite = () => {
      const adopt = () => this.#adopt(id, name, cookie, ms, loaded);
      (loaded === undefined ? adopt() : loaded.inTurn(adopt)).then(() => done(null), done);
    };
    if (loaded !== undefined && loaded.maxAge !== maxAge) return rewrite();
    const finish = (/** @type {any} */ answer) => {
      if (answer !== -1) done(null);
      else rewrite();
    };
    return this.#records.patchThen(this.#form.patch, key, this.#form.expiry(name, cookie), ms, only, finish, done);
  }

  /**
   * Written anew with this cookie: also a record of another form, most often another store's, that can be touched then.
   * @param {string} id
   * @param {string} name
   * @param {{ expires: any, originalMaxAge: any }} cookie
   * @param {number} ms
   * @param {import('./loaded-session').LoadedSession} [loaded] by the request that does it: no conflict for its next save
   */
  async #adopt(id, name, { expires, originalMaxAge }, ms, loaded) {
    const key = this.#options.prefix + name;
    let current = await this.#records.get(key, this.#binary);
    for (let tries = 0; tries < MOST_TRIES && typeof current !== 'number' && current !== null; tries++) {
      const decoded = await this.#decode(name, current);
      if (decoded === undefined) return this.#unreadable(id);
      const { session, mark, whole } = decoded;
      const says = expires !== undefined || originalMaxAge !== undefined;
      if (!isObject(session.cookie) || !says) return ms > 0 && this.#records.expire(key, ms);
      session.cookie = { ...session.cookie, originalMaxAge: originalMaxAge ?? null, expires: expires ?? null };
      const next = await this.#form.encode(name, session);
      if (loaded?.isOf(current)) {
        current = await this.#swap(key, loaded, { mark, whole }, next, ms, loaded.isCurrent ? next.value : loaded.seen);
        if (current === 1) loaded.maxAge = originalMaxAge;
      } else current = await this.#records.swap(key, mark, whole, next.value, ms, this.#binary);
    }
    return undefined;
  }

  // --------------------------------------------------------------------------------------------------------- removing

  /**
   * @param {string} id
   * @returns {Promise<unknown>}
   */
  destroy(id) {
    const name = this.#name(id);
    this.#touches.forget(id);
    return this.#records.remove(this.#options.prefix + name);
  }
}

module.exports = { StoredSessions };
