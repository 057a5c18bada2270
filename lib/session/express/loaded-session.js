'use strict';
// What a request has loaded: against it the session is written, and with it others' changes are merged.

const { timeOf } = require('./formats/expiry');

// Of a session object that lives long while Redis is away.
const MOST_UNSURE = 8;

/** Whether it is the record of that writing. @param {any} value @param {{ mark: string | Buffer, whole: boolean }} encoded */
function isOf(value, { mark, whole }) {
  if (typeof value !== typeof mark || (whole && value.length !== mark.length)) return false;
  return typeof value === 'string'
    ? value.startsWith(/** @type {string} */ (mark))
    : value.subarray(0, mark.length).equals(mark);
}

class Loaded {
  /** Writes that ended in an error: they may be stored. @type {Array<{ encoded: any, seen: string | Buffer }>} */
  #unsure = [];
  /** The last write of this session object. @type {Promise<unknown> | undefined} */
  #last;

  /**
   * @param {object} owner the store: what one has loaded, another writes like anything else
   * @param {string} id
   * @param {string | Buffer} mark of the record as it was, for swap()
   * @param {boolean} whole
   * @param {string | Buffer} value the record
   * @param {any} expires of the cookie
   * @param {unknown} maxAge
   */
  constructor(owner, id, mark, whole, value, expires, maxAge) {
    this.owner = owner;
    this.id = id;
    this.mark = mark;
    this.whole = whole;
    /** The record that the object in the request reflects. */
    this.seen = value;
    /** The record as it is by all we know: with what was merged into it. */
    this.stored = value;
    this.expires = expires;
    this.maxAge = maxAge;
  }

  /** Epoch ms; NaN: it does not say. */
  get ends() {
    return timeOf(this.expires);
  }

  /** Whether the object in the request has all that is stored. */
  get isCurrent() {
    return this.seen === this.stored;
  }

  /**
   * @param {import('./formats/json').Encoded} encoded what is stored now
   * @param {string | Buffer} seen what the object in the request reflects
   */
  wrote({ mark, whole, value }, seen) {
    this.mark = mark;
    this.whole = whole;
    this.stored = value;
    this.seen = seen;
    this.#unsure = [];
  }

  /**
   * Whether it is the record that is compared with: nobody else has written since.
   * @param {any} current
   */
  isOf(current) {
    return isOf(current, this);
  }

  /**
   * A write of which nobody knows whether it was carried out.
   * @param {import('./formats/json').Encoded} encoded
   * @param {string | Buffer} seen what the object in the request reflected
   */
  mayHaveWritten(encoded, seen) {
    this.#unsure.push({ encoded, seen });
    if (this.#unsure.length > MOST_UNSURE) this.#unsure.shift();
  }

  /**
   * Whether what is stored is such a write, and so nobody else's; it is what was loaded, from then on.
   * @param {any} current
   */
  recognizes(current) {
    const own = this.#unsure.find(({ encoded }) => isOf(current, encoded));
    if (own !== undefined) this.wrote(own.encoded, own.seen);
    return own !== undefined;
  }

  /**
   * One write after the other: each is compared with what the one before has left.
   * @param {() => Promise<unknown>} work
   * @returns {Promise<unknown>}
   */
  inTurn(work) {
    const done = this.#last === undefined ? work() : this.#last.then(work, work);
    this.#last = done;
    const end = () => {
      if (this.#last === done) this.#last = undefined;
    };
    done.then(end, end);
    return done;
  }
}

// Kept in a private field of the session object itself: nobody else can see it, JSON, copies and comparisons included; and
// it costs nothing to collect, as the entries of a WeakMap do with every request.
class Given {
  /** @param {object} object */
  constructor(object) {
    return object;
  }
}

class Memory extends Given {
  /** @type {Loaded} */
  #loaded;

  /**
   * @param {object} session
   * @param {Loaded} loaded
   */
  constructor(session, loaded) {
    super(session);
    this.#loaded = loaded;
  }

  /**
   * @param {any} session
   * @param {Loaded} loaded
   */
  static remember(session, loaded) {
    if (#loaded in session) session.#loaded = loaded;
    else new Memory(session, loaded);
  }

  /**
   * @param {any} session
   * @returns {Loaded | undefined}
   */
  static of(session) {
    return #loaded in session ? session.#loaded : undefined;
  }
}

/** @typedef {Loaded} LoadedSession */

module.exports = { Loaded, remember: Memory.remember, loadedOf: Memory.of };
