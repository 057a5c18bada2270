'use strict';
// Single flight: the loads under way in this thread, one per key. Whoever asks for the key meanwhile shares the load. A load
// whose key is written or removed meanwhile is overtaken: its result goes to those who wait for it, but to nobody who comes
// later, and is not stored.
const { Waiter } = require('../store/lease-waiters');

/** @typedef {import('./types').LoadResult} LoadResult */

/** @typedef {import('./types').LeaseOwner} LeaseOwner */

class InFlightLoad extends Waiter {
  /** Whether callers may join it, as far as is known. */
  joinable = true;
  /** Nobody may join it any more, and its value is not stored. */
  overtaken = false;
  /** It has waited for the load of another process or thread: an error of that load is its error, too. */
  waited = false;
  /** Its miss was counted. */
  missed = false;
  /** Its lease is that of an entry that stays readable. */
  refreshing = false;
  /** The native tier may watch its key for it. */
  watched = false;
  /** The end of its lease has been sent, with a value or without. */
  leaseEnded = false;
  /** Its value is known: it is for the callers that wait already, and too old for new ones. */
  settled = false;
  /** It loads without a lease, because Redis did not answer. */
  withoutLease = false;
  /** It began to load without a lease in this turn of the event loop. */
  startedThisTurn = false;
  /** Questions under way whether its lease is still held. */
  leaseChecks = 0;
  /** @type {NodeJS.Timeout[] | undefined} time limits of its loader and its callers: they keep the process until close() */
  limits = undefined;
  /** @type {import('../store/tiered-store').Hit | undefined} what may be served if the load fails */
  stale = undefined;
  /** @type {import('../store/tiered-store').Hit | undefined} what it found, and what is refreshed after it has ended */
  refreshAfter = undefined;
  /** Callers that wait for it; those that cannot give up are never taken off. */
  callers = 0;
  /** @type {(() => void) | undefined} called when another process or thread has the lease */
  onBusy = undefined;
  /** @type {InFlightLoad | undefined} whose loader has begun this one */
  parent = undefined;
  /** @type {AbortController | undefined} */
  #controller = undefined;
  /** @type {Promise<LoadResult> | undefined} */
  #result = undefined;
  /** @type {{ promise: Promise<LoadResult>, resolve: (result: Promise<LoadResult>) => void } | undefined} */
  #awaited = undefined;
  #owner;

  /**
   * @param {string} key
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {(context: any) => any} loader
   * @param {boolean} background a refresh: no caller waits for it
   * @param {LeaseOwner} owner
   */
  constructor(key, call, loader, background, owner) {
    super(key, call.lease);
    this.call = call;
    this.loader = loader;
    this.background = background;
    this.#owner = owner;
  }

  /** @returns {Promise<LoadResult>} also before run() has returned: a listener of an event may be quicker */
  get result() {
    return this.#result ?? (this.#awaited ??= deferred()).promise;
  }

  /** @param {Promise<LoadResult>} result */
  set result(result) {
    this.#result = result;
    this.#awaited?.resolve(result);
  }

  leaseLost() {
    this.#owner.leaseLost(this);
  }

  /** @param {number} leaseId */
  granted(leaseId) {
    super.granted(leaseId);
    this.watched = true;
    // What overtook it came before the load.
    this.overtaken = false;
  }

  onKeyChanged() {
    if (this.leaseId === 0) this.notice();
    else this.#owner.checkLease(this);
  }

  /**
   * Nobody joins it from now on, and its value is not stored.
   * @param {unknown} [reason] for the signal of its loader; undefined: the loader is not told
   */
  overtake(reason) {
    this.overtaken = true;
    this.joinable = false;
    // One that still waits for the lease simply looks again.
    if (this.leaseId === 0) this.notice();
    else if (reason !== undefined) this.abort(reason);
  }

  /** @returns {AbortSignal} */
  get signal() {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get aborted() {
    return this.#controller?.signal.aborted ?? false;
  }

  /** @param {unknown} reason */
  abort(reason) {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
    this.notice();
  }

  /** @param {NodeJS.Timeout} timer */
  addLimit(timer) {
    (this.limits ??= []).push(timer);
  }
}

function deferred() {
  /** @type {(result: Promise<LoadResult>) => void} */
  let resolve = () => {};
  /** @type {Promise<LoadResult>} */
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** @typedef {InFlightLoad} InFlightLoadInstance */

module.exports = { InFlightLoad };
