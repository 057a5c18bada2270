'use strict';
// getOrSet: a value that is there, the load of somebody else, or a load of its own under a lease. The lease keeps all other
// callers and processes from loading; what overtakes a load is not overwritten by it. docs/guarantees.md says what that
// promises.
const { CacheError } = require('../errors');
const { setImmediate } = require('../timers');
const { isForWaiters, revivedError, Failures } = require('./load-errors');
const { checkNotWithin, enclosingLoad } = require('./enclosing-loads');
const { InFlightLoad } = require('./single-flight');
const { LoadResults, wantsRefresh } = require('./load-results');
const { LoadRunner } = require('./load-runner');
const { waitFor } = require('./run-loader');
const { FRESH, STALE, STALE_ERROR, LEASED, FAILED } = require('../store/tiered-store');

/** @typedef {import('./single-flight').InFlightLoadInstance} Load */
/** @typedef {import('./single-flight').LoadResult} LoadResult */
/** @typedef {import('../store/tiered-store').Hit} Hit */
/** @typedef {import('../store/tiered-store').Outcome} Outcome */

const leaseLost = () => new CacheError('LEASE_LOST', 'the load was overtaken: its value would not be stored');

class LoadCoordinator {
  #tiers;
  #leases;
  #pending;
  #events;
  #counters;
  #results;
  #runner;
  #failures = new Failures();
  #search;
  // A loader whose signature does not tell that it takes its context has set tags: others may, too.
  #anyMayComputeTags = false;

  /**
   * @param {object} parts
   * @param {import('../store/store').StoreInstance} parts.store
   * @param {import('./decoded-objects').ObjectsInstance} parts.objects
   * @param {import('./codecs').CacheCodec} parts.codec
   * @param {import('../store/events').AnnouncerInstance} parts.events
   * @param {{ loads: number, loadErrors: number, coalesced: number, sets: number, refused: number, staleHits: number, refreshes: number }} parts.counters
   */
  constructor({ store, objects, codec, events, counters }) {
    const { tiers, leases, pending, outstanding } = store;
    this.store = store;
    this.#tiers = tiers;
    this.#leases = leases;
    this.#pending = pending;
    this.#events = events;
    this.#counters = counters;
    this.#results = new LoadResults({ tiers, objects, events, counters });
    this.#runner = new LoadRunner({
      tiers,
      outstanding,
      codec,
      results: this.#results,
      failures: this.#failures,
      events,
      counters,
      onEnding: (load) => this.#onEnding(load),
      onTagsSet: (load) => {
        this.#anyMayComputeTags ||= !this.#mayComputeTags(load);
      },
      again: (load) => this.#joinable(load.key) ?? this.#begin(load.key, load.loader, load.call, false),
    });
    this.#search = this.#steps();
  }

  /**
   * What is not a plain hit of the memory tier.
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit | undefined} local what memory has, when it is not simply fresh
   * @param {() => void} [onBusy] called when somebody else loads
   * @returns {LoadResult | Promise<LoadResult>}
   */
  get(key, loader, call, local, onBusy) {
    if (call.signal?.aborted) return Promise.reject(call.signal.reason);
    if (local !== undefined) {
      const served = this.#results.ofMemory(key, call, local);
      if (served !== undefined) {
        if (wantsRefresh(served.hit)) this.refresh(key, loader, call, local);
        return served;
      }
    }
    const load = this.#joinable(key);
    if (load !== undefined) {
      checkNotWithin(load);
      return this.#join(load, loader, call, local, onBusy);
    }
    const own = this.#begin(key, loader, call, false, local);
    own.onBusy = onBusy;
    return waitFor(own, call, () => this.#results.stale(own.stale, key));
  }

  /**
   * @param {Load} load of somebody else
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit | undefined} local
   * @param {(() => void) | undefined} onBusy
   * @returns {Promise<LoadResult>}
   */
  async #join(load, loader, call, local, onBusy) {
    const { key } = load;
    this.#counters.coalesced++;
    onBusy?.();
    const result = await waitFor(load, call, () => this.#results.stale(load.stale ?? local, key)).catch((error) => {
      if (load.background && !call.signal?.aborted) return undefined;
      throw error;
    });
    // A refresh that gave nothing says nothing about the value that it was to replace.
    if (result === undefined || result.source === 'none') return this.get(key, loader, call, undefined, onBusy);
    return this.#results.shared(result);
  }

  /**
   * Begins a refresh that nobody waits for, unless a load is under way.
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit} hit what it replaces
   */
  refresh(key, loader, call, hit) {
    if (this.loadOf(key) !== undefined || this.#failures.of(key) !== undefined) return;
    const load = this.#begin(key, loader, call, true, hit);
    // A refresh that fails is told as an event; no caller is there to be given the error.
    load.result.catch((error) => this.#events.tell('cache:error', error));
  }

  /** Whether nothing is remembered that a later load needs: errors, for errorBackoff. */
  get isIdle() {
    return this.#failures.areOver;
  }

  // ------------------------------------------------------------------------------------------------ what overtakes loads

  /** @param {string} key that is written or removed */
  overtakeKey(key) {
    this.#failures.forget(key);
    // An error costs more than the rest of a write: made only when a load is there to be told.
    for (const waiter of this.#leases.waiters.of(key)) {
      if (waiter instanceof InFlightLoad) waiter.overtake(leaseLost());
    }
  }

  /** @param {(load: Load) => boolean} matches */
  #overtakeIf(matches) {
    this.#failures.clear();
    for (const load of this.#all()) if (matches(load)) load.overtake(leaseLost());
  }

  /** @param {(key: string) => boolean} matches */
  overtakeMatching(matches) {
    this.#overtakeIf(({ key }) => matches(key));
  }

  /** @param {Set<string>} names whole names of tags that change */
  overtakeTagged(names) {
    this.#overtakeIf(({ call }) => typeof call.tags === 'function' || call.tags.some((tag) => names.has(tag)));
  }

  /** The connection is lost: callers that come from now on must not be given what a load without a lease read before. */
  onLost() {
    for (const load of this.#all()) if (load.withoutLease) load.overtake();
  }

  #all() {
    const { waiters } = this.#leases;
    return /** @type {Load[]} */ (waiters.all().filter((waiter) => waiter instanceof InFlightLoad));
  }

  /**
   * Nobody waits for somebody else's load any more, and leases whose loader still runs are given back, so that others load.
   * What the loader gives reaches its callers, and is not stored. Fills that are on their way go on.
   */
  close() {
    for (const waiter of this.#leases.waiters.all()) {
      if (waiter instanceof InFlightLoad) waiter.limits?.forEach((limit) => limit.unref());
      if (waiter instanceof InFlightLoad && waiter.leaseId !== 0) {
        if (waiter.settled) continue;
        const { leaseId } = waiter;
        waiter.overtake();
        this.#endLease(waiter);
        this.#tiers.giveUp(leaseId, undefined, 0).catch(() => {});
      } else {
        waiter.notice();
      }
    }
  }

  // ------------------------------------------------------------------------------------------------- one load

  /**
   * The tags whose stamps have to be known before the load.
   * @param {Load} load
   * @returns {readonly string[]}
   */
  #tagsToAskFor(load) {
    // 'a' changes whenever any tag does.
    return this.#mayComputeTags(load) ? [...load.call.knownTags, 'a'] : load.call.knownTags;
  }

  /**
   * A loader that takes its context may set some.
   * @param {Load} load
   */
  #mayComputeTags({ call, loader }) {
    return this.#anyMayComputeTags || typeof call.tags === 'function' || loader.length > 0;
  }

  /**
   * The load of the key that callers would join.
   * @param {string} key
   * @returns {Load | undefined}
   */
  loadOf(key) {
    for (const waiter of this.#leases.waiters.of(key)) {
      if (waiter instanceof InFlightLoad && waiter.joinable) return waiter;
    }
    return undefined;
  }

  /**
   * The same, when nothing has overtaken it, as far as anybody knows.
   * @param {string} key
   */
  #joinable(key) {
    const load = this.loadOf(key);
    // What it found may have changed since, and nobody watches the key for it any more: not even in the few microtasks
    // until its callers go on, because others go on in between.
    if (load === undefined || load.settled || load.aborted) return undefined;
    // A load without a lease hears of no change: it is not for callers that can ask Redis, but for those of the same turn.
    if (load.withoutLease && !load.startedThisTurn && this.#tiers.answers) return undefined;
    if (load.leaseId === 0) return load;
    // While it is asked what the change of the key was, new callers ask for themselves.
    if (load.leaseChecks > 0) return undefined;
    if (!this.#tiers.current(load.leaseId)) load.overtake();
    // It may yet compute one of the tags that have changed, and then not be stored: new callers look for themselves.
    else if (this.#mayComputeTags(load) && this.#tiers.anyTagChanged(load.leaseId)) load.joinable = false;
    else return load;
    return undefined;
  }

  /**
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {boolean} background
   * @param {Hit} [hit] what it replaces
   */
  #begin(key, loader, call, background, hit) {
    const other = this.loadOf(key);
    if (other !== undefined) other.joinable = false;
    const load = new InFlightLoad(key, call, loader, background, this);
    load.stale = hit;
    // What goes on behind a loader is none of what it waits for.
    if (!background) load.parent = enclosingLoad();
    load.tags = this.#tagsToAskFor(load);
    this.#leases.waiters.enter(load);
    load.result = this.#run(load);
    return load;
  }

  /**
   * @param {Load} load
   * @returns {Promise<LoadResult>}
   */
  async #run(load) {
    try {
      if (load.background) return await this.#refreshed(load);
      if (this.#pending.any && !(await this.#pending.flushFor(load.key))) {
        return await this.#notGranted(load, { reason: 'unavailable' });
      }
      // The loader is called in a later microtask in any case: by then callers can join the load.
      const sought = await this.#leases.seek(load, this.#search);
      if (sought.leaseId === undefined) return sought.entry ?? (await this.#notGranted(load, sought));
      // Whoever granted it knows of no failure: what is remembered here was forgotten there.
      this.#failures.forget(load.key);
      // Perhaps behind the lease, in the same read: nobody watches the key for it then.
      if (load.changed) void this.checkLease(load);
      return await this.#underLease(load);
    } finally {
      this.#end(load);
    }
  }

  /** @param {Load} load */
  #end(load) {
    const { leaseId } = load;
    if (leaseId !== 0) {
      this.#endLease(load);
      if (!load.leaseEnded) this.#tiers.drop(leaseId);
    }
    load.joinable = false;
    load.parent = undefined;
    this.#leases.waiters.leave(load);
    this.#watchOn(load);
    if (load.refreshAfter !== undefined) this.refresh(load.key, load.loader, load.call, load.refreshAfter);
  }

  /**
   * How the key of a load is looked at until there is a value, a failure, or the lease.
   * @returns {import('../store/leases').Search<Load, LoadResult>}
   */
  #steps() {
    const tiers = this.#tiers;
    return {
      ask: (load) => {
        const { key, call, tags, ticket } = load;
        load.refreshing = false;
        return tiers.acquire(key, call.lease, tags, ticket, call.ahead !== 0);
      },
      instead: (load, found) => {
        const { key, call, tags, ticket } = load;
        if (found?.kind === FAILED && !load.waited && isForWaiters(found.payload)) {
          return tiers.takeOverFailure(key, call.lease, tags, ticket, found);
        }
        if (found?.kind !== 0 || found.freshness !== STALE_ERROR) return undefined;
        load.stale = found;
        load.refreshing = true;
        return tiers.refresh(key, call.lease, tags, ticket);
      },
      accept: (load, found, fromMemory) => {
        // Stale entries of memory have been served, or are not for this call.
        if (fromMemory && found.freshness !== FRESH) return null;
        return this.#results.found(load, found, fromMemory);
      },
      onMiss: (load) => {
        if (load.missed) return;
        load.missed = true;
        tiers.counters.misses++;
        if (this.#events.hears('cache:miss')) this.#events.tell('cache:miss', { key: load.key });
      },
      onBusy: (load) => {
        load.watched = true;
        load.onBusy?.();
        load.waited = true;
      },
    };
  }

  /**
   * A load of the key failed a moment ago.
   * @param {Load} load
   * @param {unknown} error
   */
  async #afterFailure(load, error) {
    const instead = this.#runner.insteadOfError(load) ?? (await this.#insteadOfFailure(load));
    load.settled = true;
    if (instead !== undefined) return instead;
    throw error;
  }

  /**
   * @param {Load} load
   * @param {import('../store/leases').Sought<LoadResult>} sought neither an entry nor the lease
   * @returns {Promise<LoadResult>}
   */
  async #notGranted(load, sought) {
    const { reason } = sought;
    if (reason === 'aborted') throw load.signal.reason;
    const failure = this.#failures.of(load.key);
    // As this process saw it, when it did.
    if (failure !== undefined && (reason === 'failed' || reason === 'unavailable')) {
      return this.#afterFailure(load, failure.error);
    }
    if (reason === 'failed') {
      const error = String(/** @type {Outcome} */ (sought.outcome).payload);
      const stale = this.#results.stale(load.stale, load.key);
      load.settled = stale !== undefined || error !== '';
      if (stale !== undefined) return stale;
      // Without a text it is that of a refresh: the value is there, and may be served only for that.
      if (error !== '') throw revivedError(error);
    }
    return this.#withoutLease(load);
  }

  /**
   * A refresh of what is still served.
   * @param {Load} load
   * @returns {Promise<LoadResult>}
   */
  async #refreshed(load) {
    const { key, call } = load;
    const nothing = /** @type {LoadResult} */ ({ value: undefined, encoded: undefined, source: 'none' });
    if (this.#pending.any && this.#pending.blocks(key)) return nothing;
    try {
      const outcome = await this.#tiers.refresh(key, call.lease, load.tags, load.ticket);
      // Somebody else refreshes it, or it is gone: then the next read loads it.
      if (outcome?.kind !== LEASED) return nothing;
      load.refreshing = true;
      load.granted(outcome.lease);
    } catch (error) {
      this.#tiers.failed(error);
      return nothing;
    }
    this.#counters.refreshes++;
    return this.#underLease(load);
  }

  /**
   * Loads under the lease, and stores what comes.
   * @param {Load} load
   */
  #underLease(load) {
    const { leaseId } = load;
    // Granted while the cache was being closed: nobody would renew it, nor end it.
    if (this.#leases.closed) {
      this.#endLease(load);
      this.#tiers.giveUp(leaseId, undefined, 0).catch(() => {});
      return this.#withoutLease(load);
    }
    this.#leases.renewals.add(load);
    return this.#runner.run(load);
  }

  /**
   * Redis does not answer, has no room, or there is nothing to keep.
   * @param {Load} load
   */
  #withoutLease(load) {
    load.withoutLease = true;
    load.startedThisTurn = true;
    setImmediate(() => {
      load.startedThisTurn = false;
    });
    return this.#runner.run(load);
  }

  /** @param {Load} load */
  #endLease(load) {
    this.#leases.renewals.delete(load);
    load.leaseId = 0;
  }

  /**
   * Somebody else may load by now: what this load gives could not be stored any more.
   * @param {Load} load
   */
  leaseLost(load) {
    load.overtake(leaseLost());
  }

  /**
   * The key has changed: if the lease is lost, the loader is told.
   * @param {Load} load
   */
  async checkLease(load) {
    load.leaseChecks++;
    try {
      if (await this.#tiers.held(load.leaseId)) {
        load.leaseChecks--;
        return;
      }
    } catch {
      return; // Redis did not answer: the fill finds out
    }
    if (load.leaseId !== 0) this.leaseLost(load);
  }

  /**
   * The end of a load ends the watch on its key, for all who wait for it. Those look again, and watch it again by that.
   * @param {Load} load
   */
  #watchOn(load) {
    const { waiters } = this.#leases;
    if (waiters.hasOthers(load)) waiters.keyChanged(load.key, load);
    else if (load.watched) this.#tiers.unwatch(load.key);
  }

  /**
   * The end of its lease has been sent: the key is not watched for it any more.
   * @param {Load} load
   */
  #onEnding(load) {
    load.leaseEnded = true;
    load.watched = false;
    this.#watchOn(load);
  }

  /**
   * What Redis has of a key whose load failed a moment ago: memory gave its copy up with the lease.
   * @param {Load} load
   * @returns {Promise<LoadResult | undefined>}
   */
  async #insteadOfFailure(load) {
    if (this.#tiers.local || !this.#tiers.available) return undefined;
    if (this.#pending.any && !(await this.#pending.flushFor(load.key))) return undefined;
    const found = await this.#tiers.read(load.key, true, true);
    if (found === undefined) return undefined;
    const hit = /** @type {Hit} */ (found);
    return hit.freshness === STALE || hit.freshness === STALE_ERROR
      ? this.#results.stale(hit, load.key)
      : this.#results.found(load, hit);
  }
}

/** @typedef {LoadCoordinator} LoadCoordinatorInstance */

module.exports = { LoadCoordinator };
