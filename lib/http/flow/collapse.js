'use strict';
// Collapsing of concurrent misses: one request runs the handler, the others wait for its head, and are given the body as
// it streams. Sharing is decided by the head: until then nobody knows whether it is one person's page.

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../storage/stored-response').StoredResponse} StoredResponse */
/** @typedef {import('../storage/stored-response').Usable} Usable */

/** @typedef {import('../types').Shared} Shared */

/**
 * What becomes of a flight, for those who wait. streaming: its body is on its way. stored: it is whole. found: the leader
 * found it in the second tier. refused: everyone on their own. aborted: the leader lost its client, somebody else should
 * lead. late: it takes too long.
 * @typedef {{ end: 'streaming', shared: Shared } | { end: 'stored', shared: Shared, stored: StoredResponse }
 *   | { end: 'found', shared: Shared, found: Usable, slot: import('../storage/response-store').Slot } | { end: 'refused' | 'aborted' | 'late' }} Outcome
 */

// How long those who share a body that is too large to be kept wait for one of them who reads nothing.
const PATIENCE_MS = 30_000;

class Flight {
  /** @type {Array<(outcome: Outcome) => void>} */
  #waiting = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {Outcome | undefined} */
  #outcome;
  /** @type {Buffer[]} what was streamed so far */
  #chunks = [];
  /** @type {Set<ServerResponse>} */
  #followers = new Set();
  /** @type {Map<ServerResponse, NodeJS.Timeout>} whom the handler waits for, and for how long */
  #behind = new Map();
  /** @type {Array<() => void>} */
  #atEnd = [];
  #ended = false;
  /** Whether who comes now can still be sent all of the body. */
  #readable = true;
  overtaken = false;
  /** @type {import('../../store/lease').LeaseInstance | undefined} */
  lease;
  /** @type {import('../record/response-recorder').ResponseRecorderInstance | undefined} */
  capture;
  /** @type {((res: ServerResponse) => boolean) | undefined} writes the head of a streaming answer */
  begin;

  /**
   * @param {string} base of the URL
   * @param {string} key
   * @param {number} deadline performance.now() up to which anybody waits for its head
   * @param {number} maxBacklog bytes that a follower may be behind before the handler waits, once they are kept for nobody else
   */
  constructor(base, key, deadline, maxBacklog) {
    this.base = base;
    this.key = key;
    this.deadline = deadline;
    this.maxBacklog = maxBacklog;
  }

  /** @returns {Extract<Outcome, { end: 'stored' }> | undefined} a whole response, while the cache is still busy writing it */
  get whole() {
    return this.#outcome?.end === 'stored' ? this.#outcome : undefined;
  }

  /** @returns {StoredResponse | undefined} what the leader stored, while the cache is still busy writing it */
  get stored() {
    return this.#outcome?.end === 'stored' ? this.#outcome.stored : undefined;
  }

  /**
   * What a waiter that was told of a streaming body finds when its turn comes: by then the body may have ended.
   * @param {Outcome} told
   * @returns {Outcome}
   */
  nowAt(told) {
    if (told.end !== 'streaming' || this.#readable) return told;
    const now = this.#outcome;
    // Too large to be kept, and too far on.
    return now === undefined || now.end === 'streaming' ? { end: 'refused' } : now;
  }

  /** Whether anybody but the leader's client needs it. */
  get isAwaited() {
    return this.#waiting.length > 0 || this.#followers.size > 0;
  }

  /** Whether somebody who comes now should wait for it. */
  get isJoinable() {
    if (this.overtaken || this.lease?.current === false) return this.stored !== undefined && !this.overtaken;
    if (this.#outcome === undefined) return performance.now() < this.deadline;
    return this.#outcome.end === 'stored' || (this.#outcome.end === 'streaming' && !this.#ended);
  }

  /**
   * What becomes of it, as soon as that is known. A promise and not a callback: what a waiter does next belongs to its
   * own asynchronous context, not to the leader's.
   * @returns {{ outcome: Promise<Outcome>, leave: () => void }}
   */
  wait() {
    if (this.#outcome !== undefined) return { outcome: Promise.resolve(this.#outcome), leave: () => {} };
    /** @type {(outcome: Outcome) => void} */
    let settle = () => {};
    const outcome = new Promise((/** @type {(outcome: Outcome) => void} */ resolve) => {
      settle = resolve;
      this.#waiting.push(resolve);
    });
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#tooLate(), Math.max(1, this.deadline - performance.now()));
      this.#timer.unref();
    }
    return { outcome, leave: () => this.#leave(settle) };
  }

  /**
   * When it is over, and its response in the cache if it is to be there.
   * @returns {Promise<void>}
   */
  over() {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#atEnd.push(resolve));
  }

  /**
   * The body is on its way.
   * @param {Shared} shared
   * @param {(res: ServerResponse) => boolean} begin
   */
  stream(shared, begin) {
    if (this.#outcome !== undefined) return;
    this.begin = begin;
    this.#outcome = { end: 'streaming', shared };
    this.#tell(this.#outcome);
  }

  /**
   * Sends a response what was streamed so far, and from now on.
   * @param {ServerResponse} res
   */
  follow(res) {
    for (const chunk of this.#chunks) res.write(chunk);
    this.#followers.add(res);
    res.once('close', () => this.#unfollow(res));
    this.capture?.unblock();
  }

  /**
   * A part of the body.
   * @param {Buffer} chunk
   * @param {boolean} kept whether it is still to be had for those who come later
   * @returns {boolean} false: the handler should wait, since somebody is too far behind for more to be held for them
   */
  push(chunk, kept) {
    if (kept) this.#chunks.push(chunk);
    else this.#readable = false;
    for (const res of this.#followers) {
      res.write(chunk);
      if (!kept && res.writableLength > this.maxBacklog) this.#waitFor(res);
    }
    return this.#behind.size === 0;
  }

  /**
   * The handler goes on when this reader has caught up. One that reads nothing must not hold up the others for ever.
   * @param {ServerResponse} res
   */
  #waitFor(res) {
    if (this.#behind.has(res)) return;
    const timer = setTimeout(() => {
      this.#unfollow(res);
      res.destroy();
    }, PATIENCE_MS);
    timer.unref();
    this.#behind.set(res, timer);
    res.once('drain', () => this.#caughtUp(res));
  }

  /** @param {ServerResponse} res */
  #caughtUp(res) {
    clearTimeout(this.#behind.get(res));
    if (this.#behind.delete(res) && this.#behind.size === 0) this.capture?.resume();
  }

  /**
   * There is no more of the body.
   * @param {boolean} whole
   */
  endStream(whole) {
    const followers = [...this.#followers];
    this.#readable = false;
    this.#followers.clear();
    this.#chunks = [];
    for (const timer of this.#behind.values()) clearTimeout(timer);
    this.#behind.clear();
    for (const res of followers) {
      if (whole) res.end();
      // A response that ends too early must not look like a whole one.
      else res.destroy();
    }
  }

  /**
   * The first call counts, but for a body that was streaming and is whole now.
   * @param {Outcome} outcome
   */
  finish(outcome) {
    if (this.#outcome !== undefined && this.#outcome.end !== 'streaming') return;
    this.#outcome = outcome;
    // Who was told of a stream and has not come yet is better off with this.
    this.#readable = false;
    this.#tell(outcome);
  }

  /** The cache has what it is to have. */
  end() {
    this.#ended = true;
    if (this.#outcome === undefined) this.finish({ end: 'aborted' });
    for (const resolve of this.#atEnd.splice(0)) resolve();
  }

  /** @param {Outcome} outcome */
  #tell(outcome) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const settle of this.#waiting.splice(0)) settle(outcome);
  }

  /** Nobody waits any longer: the handler may hear that its own client has gone. */
  #tooLate() {
    this.#tell({ end: 'late' });
    this.capture?.release();
  }

  /** @param {(outcome: Outcome) => void} settle */
  #leave(settle) {
    const at = this.#waiting.indexOf(settle);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.capture?.release();
  }

  /** @param {ServerResponse} res */
  #unfollow(res) {
    if (this.#followers.delete(res)) this.capture?.release();
    this.#caughtUp(res);
  }
}

/** @typedef {Flight} StartedFlight */

class Flights {
  /** @type {Map<string, Flight>} */
  #flights = new Map();
  #maxBacklog;

  /** @param {number} maxBacklog */
  constructor(maxBacklog) {
    this.#maxBacklog = maxBacklog;
  }

  get size() {
    return this.#flights.size;
  }

  /**
   * A flight worth joining: not too old (its handler may hang), and not overtaken by an invalidation.
   * @param {string} key
   * @returns {Flight | undefined}
   */
  find(key) {
    const flight = this.#flights.get(key);
    return flight?.isJoinable ? flight : undefined;
  }

  /**
   * Starts a flight, in place of one that is not worth joining.
   * @param {string} base
   * @param {string} key
   * @param {number} deadline
   * @returns {Flight}
   */
  start(base, key, deadline) {
    const flight = new Flight(base, key, deadline, this.#maxBacklog);
    this.#flights.set(key, flight);
    return flight;
  }

  /** @param {Flight} flight */
  remove(flight) {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
    flight.end();
  }

  /** @param {(base: string) => boolean} matches URLs whose flights nobody may join any more */
  overtake(matches) {
    for (const flight of this.#flights.values()) if (matches(flight.base)) flight.overtaken = true;
  }
}

module.exports = { Flights, PATIENCE_MS };
