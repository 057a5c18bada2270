'use strict';
// getOrSet: a hit, somebody else's load, or a load of one's own, under a lease that keeps everybody else from loading
// and whatever overtakes the load from being overwritten. docs/guarantees.md says what that promises.
const { CacheError } = require('../errors');
const { setImmediate } = require('../timers');
const { JSON_TEXT, MSGPACK } = require('./codecs');
const { describeError, isForWaiters, revivedError, Failures } = require('./load-errors');
const { Flight, Flights } = require('./single-flight');
const { Renewals } = require('../store/lease-renewals');
const { runLoader, waitFor } = require('./run-loader');
const {
  STALE,
  STALE_ERROR,
  AHEAD,
  OUTDATED,
  LEASED,
  BUSY,
  FAILED,
  UNCACHEABLE,
  isHit,
} = require('../store/tiered-store');

// How long others load side by side, after a load has shown that there is nothing to keep.
const UNCACHEABLE_MS = 100;
// For so long an error is there for those who waited for the load.
const FOR_WAITERS_MS = 1000;
// After so many looks at a key that changes all the time, it is loaded without a lease and not stored.
const MOST_LOOKS = 50;
// Where changes are not announced, those who wait look again after so long.
const UNANNOUNCED_MS = 50;

/** @typedef {import('./single-flight').FlightInstance} FlightInstance */
/** @typedef {import('./single-flight').Landing} Landing */
/** @typedef {import('../store/tiered-store').Hit} Hit */
/** @typedef {import('../store/tiered-store').Outcome} Outcome */

const leaseLost = () => new CacheError('LEASE_LOST', 'the load was overtaken: its value would not be stored');

class Loads {
  #tiers;
  #objects;
  #codec;
  #outbox;
  #outstanding;
  #tell;
  #counters;
  #closed = false;
  failures = new Failures();
  flights = new Flights();
  renewals;

  /**
   * @param {object} parts
   * @param {import('../store/tiered-store').TiersInstance} parts.tiers
   * @param {import('./objects').ObjectsInstance} parts.objects
   * @param {import('./codecs').CacheCodec} parts.codec
   * @param {import('../store/pending-invalidations').OutboxInstance} parts.outbox
   * @param {import('../store/outstanding').OutstandingInstance} parts.outstanding
   * @param {(name: string, details: any) => void} parts.tell
   * @param {{ loads: number, loadErrors: number, coalesced: number, sets: number, refused: number, staleHits: number, refreshes: number }} parts.counters
   */
  constructor({ tiers, objects, codec, outbox, outstanding, tell, counters }) {
    this.#tiers = tiers;
    this.#objects = objects;
    this.#codec = codec;
    this.#outbox = outbox;
    this.#outstanding = outstanding;
    this.#tell = tell;
    this.#counters = counters;
    this.renewals = new Renewals(tiers);
  }

  /**
   * What is not a plain hit of the memory tier.
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit | undefined} local what memory has, when it is not simply fresh
   * @param {() => void} [onBusy] told when it is somebody else who loads
   * @returns {Promise<Landing>}
   */
  async get(key, loader, call, local, onBusy) {
    if (local !== undefined) {
      const served = this.#serveLocal(key, loader, call, local);
      if (served !== undefined) return served;
    }
    const flight = this.#joinable(key);
    if (flight !== undefined) {
      this.#counters.coalesced++;
      onBusy?.();
      const landing = await waitFor(flight, call, () => this.#staleOf(flight.stale ?? local, key)).catch((error) => {
        if (flight.background && !call.signal?.aborted) return undefined;
        throw error;
      });
      // A refresh that gave nothing says nothing about the value that it was to replace.
      if (landing === undefined || landing.source === 'none') return this.get(key, loader, call, undefined, onBusy);
      return this.#shared(landing);
    }
    const own = this.#take(key, loader, call, false, local);
    own.onBusy = onBusy;
    return waitFor(own, call, () => this.#staleOf(own.stale, key));
  }

  /**
   * Begins a refresh that nobody waits for, unless one is under way.
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit} hit what it replaces
   */
  refresh(key, loader, call, hit) {
    if (this.flights.of(key) !== undefined || this.failures.of(key) !== undefined) return;
    const flight = this.#take(key, loader, call, true, hit);
    // A refresh that fails is told as an event; nobody else is there to hear it.
    flight.landed.catch((error) => this.#tell('cache:error', error));
  }

  /** @param {string} key */
  fence(key) {
    this.failures.forget(key);
    // An error costs more than the rest of a write: made only when somebody is there to see it.
    for (const waiter of this.flights.interestedIn(key)) {
      if (waiter instanceof Flight) this.flights.fenceOne(waiter, leaseLost());
    }
  }

  /** @param {(flight: FlightInstance) => boolean} matches */
  fenceIf(matches) {
    this.failures.clear();
    for (const waiter of this.flights.everybody()) {
      if (waiter instanceof Flight && matches(waiter)) this.flights.fenceOne(waiter, leaseLost());
    }
  }

  /**
   * The server says that the key has changed; it is not watched any more. Everybody who cares for it looks again, and
   * watches it again by that.
   * @param {string} key
   * @param {import('./single-flight').WaiterInstance} [but]
   */
  onWatched(key, but) {
    for (const waiter of this.flights.interestedIn(key)) {
      if (waiter === but) continue;
      if (waiter instanceof Flight && waiter.lease !== 0) void this.#verify(waiter);
      else waiter.notice();
    }
  }

  /** The connection is lost: who asks from now on must not be given what a load without a lease read before. */
  onLost() {
    for (const waiter of this.flights.everybody()) {
      if (waiter instanceof Flight && waiter.alone) this.flights.fenceOne(waiter);
    }
  }

  get closed() {
    return this.#closed;
  }

  /**
   * Nobody waits for somebody else's load any more, and leases whose loader still runs are given back: others load. What
   * the loader gives reaches its callers, and is not stored. Fills that are on their way stay so.
   */
  close() {
    this.#closed = true;
    for (const waiter of this.flights.everybody()) {
      if (waiter instanceof Flight) for (const limit of waiter.limits) limit.unref();
      if (waiter instanceof Flight && waiter.lease !== 0) {
        if (waiter.over) continue;
        const { lease } = waiter;
        this.flights.fenceOne(waiter);
        this.#endLease(waiter);
        this.#tiers.giveUp(lease, undefined, 0).catch(() => {});
      } else {
        waiter.notice();
      }
    }
  }

  /** @param {number} ticket */
  onReleased(ticket) {
    this.flights.byTicket(ticket)?.notice();
  }

  /**
   * One whose load nothing has overtaken, as far as anybody knows.
   * @param {string} key
   */
  #joinable(key) {
    const flight = this.flights.of(key);
    // What it found may have changed since, and nobody watches the key for it any more: not even in the few microtasks
    // that it takes from here to those who wait, because others go on in between.
    if (flight === undefined || flight.over) return undefined;
    // A load without a lease hears of no change: it is not for those who can ask Redis, but for who comes in the same turn.
    if (flight.alone && !flight.justBegun && this.#tiers.answers) return undefined;
    if (flight.lease === 0) return flight;
    // While it is asked what the change of the key was, whoever comes asks for himself.
    if (flight.doubts > 0) return undefined;
    if (!this.#tiers.current(flight.lease)) this.flights.fenceOne(flight);
    // It may yet compute one of the tags that have changed, and then not be stored: who comes now looks for himself.
    else if (mayComputeTags(flight) && this.#tiers.anyTagChanged(flight.lease)) this.flights.remove(flight);
    else return flight;
    return undefined;
  }

  /**
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {boolean} background
   * @param {Hit} [hit] what it replaces
   */
  #take(key, loader, call, background, hit) {
    const flight = new Flight(key, call, loader, background);
    flight.stale = hit;
    this.flights.add(flight);
    flight.landed = this.#fly(flight);
    return flight;
  }

  /** @param {FlightInstance} flight */
  async #fly(flight) {
    try {
      return flight.background ? await this.#refreshed(flight) : await this.#found(flight);
    } finally {
      this.flights.remove(flight);
      this.flights.leave(flight);
      this.#watchOn(flight);
      if (flight.due !== undefined) this.refresh(flight.key, flight.loader, flight.call, flight.due);
    }
  }

  /**
   * Looks at the key until there is a value, a failure, or the lease.
   * @param {FlightInstance} flight
   * @returns {Promise<Landing>}
   */
  async #found(flight) {
    const { key, call } = flight;
    const failure = this.failures.of(key);
    if (failure !== undefined) {
      const instead = this.#staleOf(flight.stale ?? this.#distrusted(flight), key) ?? (await this.#insteadOf(flight));
      flight.over = true;
      if (instead !== undefined) return instead;
      throw failure.error;
    }
    if (this.#outbox.pending && !(await this.#outbox.settled(key))) return this.#loadAlone(flight);
    const tags = tagsToAskFor(flight);
    let missed = false;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      flight.changed = false;
      let found;
      try {
        found = await this.#tiers.acquire(key, call.lease, tags, flight.ticket, call.ahead !== 0);
        const kind = /** @type {any} */ (found)?.kind;
        flight.refreshing = false;
        if (kind === 0 && /** @type {Hit} */ (found).freshness === STALE_ERROR) {
          flight.stale = /** @type {Hit} */ (found);
          flight.refreshing = true;
          found = await this.#tiers.refresh(key, call.lease, tags, flight.ticket);
        } else if (kind === OUTDATED) {
          found = await this.#tiers.takeOver(key, call.lease, tags, /** @type {Outcome} */ (found).payload);
        } else if (kind === FAILED && !flight.waited && isForWaiters(/** @type {Outcome} */ (found).payload)) {
          found = await this.#tiers.takeOverFailure(
            key,
            call.lease,
            tags,
            flight.ticket,
            /** @type {Outcome} */ (found),
          );
        }
      } catch (error) {
        this.#tiers.failed(error);
        if (!missed) this.#missed(key);
        return this.#loadAlone(flight);
      }
      if (found === null) {
        // Whatever it is, it keeps the lease from being taken.
        this.#tiers.corrupt(key);
        await this.#tiers.remove(key).catch((error) => this.#tiers.failed(error));
        continue;
      }
      if (found !== undefined && isHit(found)) {
        const landing = this.#hit(flight, /** @type {string | Buffer | Hit} */ (found));
        if (landing !== undefined) return landing;
        await this.#tiers.remove(key).catch((error) => this.#tiers.failed(error));
        continue;
      }
      if (!missed) this.#missed(key);
      missed = true;
      const outcome = /** @type {Outcome | undefined} */ (found);
      switch (outcome?.kind) {
        case undefined: // the server has no room for a lease, nor for a value
        case UNCACHEABLE:
          return this.#loadAlone(flight);
        case LEASED:
          flight.lease = outcome.lease;
          flight.fenced = false; // what overtook it came before the load
          // Perhaps behind the lease, in the same read: nobody watches the key for it then.
          if (flight.changed) void this.#verify(flight);
          return this.#leased(flight);
        case FAILED: {
          const stale = this.#staleOf(flight.stale, key);
          flight.over = stale !== undefined || outcome.payload !== '';
          if (stale !== undefined) return stale;
          // One of a refresh says nothing: the value is there, and may be served only for that.
          if (outcome.payload !== '') throw revivedError(String(outcome.payload));
          return this.#loadAlone(flight);
        }
        case BUSY: {
          if (this.#closed) return this.#loadAlone(flight);
          flight.onBusy?.();
          flight.waited = true;
          const began = performance.now();
          await this.flights.wait(
            flight,
            this.#tiers.announced ? outcome.left + 5 : Math.min(outcome.left + 5, UNANNOUNCED_MS),
          );
          // Only a key that changes all the time is given up; a lease that is renewed is none.
          if (performance.now() - began >= UNANNOUNCED_MS) looks = 0;
          break;
        }
        default: // again
          if (this.#tiers.local) {
            const hit = this.#tiers.peekWhole(key);
            const landing = hit?.freshness === 0 ? this.#hit(flight, hit, true) : undefined;
            if (landing !== undefined) return landing;
          }
      }
      if (flight.aborted) throw flight.signal.reason;
    }
    return this.#loadAlone(flight);
  }

  /**
   * A refresh of what is still served.
   * @param {FlightInstance} flight
   * @returns {Promise<Landing>}
   */
  async #refreshed(flight) {
    const { key, call } = flight;
    const nothing = /** @type {Landing} */ ({ value: undefined, encoded: undefined, source: 'none' });
    if (this.#outbox.pending) return nothing;
    try {
      const outcome = await this.#tiers.refresh(key, call.lease, tagsToAskFor(flight), flight.ticket);
      // Somebody else refreshes it, or it is gone: then the next read loads it.
      if (outcome?.kind !== LEASED) return nothing;
      flight.refreshing = true;
      flight.lease = outcome.lease;
    } catch (error) {
      this.#tiers.failed(error);
      return nothing;
    }
    this.#counters.refreshes++;
    return this.#leased(flight);
  }

  /**
   * Loads under the lease, and stores what comes.
   * @param {FlightInstance} flight
   */
  async #leased(flight) {
    const { lease } = flight;
    flight.onLeaseLost = this.#onLeaseLost;
    // Taken while the cache was being closed: nobody would renew it, nor end it.
    if (this.#closed) {
      this.#endLease(flight);
      this.#tiers.giveUp(lease, undefined, 0).catch(() => {});
      return this.#loadAlone(flight);
    }
    this.renewals.add(flight);
    try {
      return await this.#load(flight);
    } finally {
      this.#endLease(flight);
      this.#tiers.drop(lease);
    }
  }

  /** @param {FlightInstance} flight */
  #endLease(flight) {
    this.renewals.delete(flight);
    flight.lease = 0;
  }

  // Somebody else may load by now: what this load gives could not be stored any more.
  #onLeaseLost = (/** @type {FlightInstance} */ flight) => this.flights.fenceOne(flight, leaseLost());

  /**
   * The end of a load ends the watch on its key, for all who care for it. Those look again, and watch it again by that.
   * @param {FlightInstance} flight
   */
  #watchOn(flight) {
    if (this.flights.interestedIn(flight.key).some((waiter) => waiter !== flight)) this.onWatched(flight.key, flight);
    else this.#tiers.unwatch(flight.key);
  }

  /**
   * Whether the lease is still ours; if not, the loader is told.
   * @param {FlightInstance} flight
   */
  async #verify(flight) {
    flight.doubts++;
    try {
      if (await this.#tiers.held(flight.lease)) {
        flight.doubts--;
        return;
      }
    } catch {
      return; // no answer is no answer; the fill will tell
    }
    if (flight.lease !== 0) this.flights.fenceOne(flight, leaseLost());
  }

  /**
   * Without a lease: Redis does not answer, has no room, or there is nothing to keep.
   * @param {FlightInstance} flight
   */
  #loadAlone(flight) {
    flight.alone = true;
    flight.justBegun = true;
    setImmediate(() => {
      flight.justBegun = false;
    });
    return this.#load(flight);
  }

  /**
   * @param {FlightInstance} flight
   * @returns {Promise<Landing>}
   */
  async #load(flight) {
    const { key, call, lease } = flight;
    this.#counters.loads++;
    const began = performance.now();
    let result;
    try {
      result = await runLoader(flight, this.#previous(flight));
    } catch (error) {
      flight.over = true;
      return this.#loadFailed(flight, error);
    }
    flight.over = true;
    const { value, context } = result;
    let encoded;
    let windows;
    let tags;
    try {
      if (value === undefined || context.skipped || (call.cacheIf !== undefined && !call.cacheIf(value))) {
        await this.#giveUp(flight, '', lease === 0 ? 0 : UNCACHEABLE_MS);
        return { value, encoded: undefined, source: 'loader' };
      }
      encoded = this.#codec.encode(value, `the value that the loader of '${key}' returned`);
      windows = call.windows(context.ttl ?? (typeof call.ttl === 'function' ? call.ttl(value) : call.ttl));
      tags = context.tagsOf(value);
    } catch (error) {
      await this.#giveUp(flight, undefined, 0);
      throw error;
    }
    const shared = {
      codec: encoded.codec,
      payload: typeof encoded.payload === 'string' ? encoded.payload : Buffer.from(encoded.payload),
    };
    const filling = this.#fill(flight, encoded, windows, Math.round(performance.now() - began), tags);
    await (lease === 0 ? filling : this.#outstanding.track(filling));
    const own = this.#objects.frozen ? this.#objects.decodeShared(shared) : value;
    return { value: own, encoded: shared, source: 'loader' };
  }

  /**
   * @param {FlightInstance} flight
   * @param {import('./codecs').Encoded} encoded
   * @param {import('./call-options').Windows} windows
   * @param {number} loadTime
   * @param {readonly string[]} tags that the load computed
   */
  async #fill(flight, encoded, windows, loadTime, tags) {
    const { key, lease } = flight;
    if (lease === 0) return;
    let refused;
    try {
      if (flight.fenced) refused = 'overtaken';
      else if (tags.length > 0 && !(await this.#tiers.addTags(lease, tags))) refused = 'tag';
      if (refused !== undefined) {
        await this.#giveUp(flight, undefined, 0);
      } else {
        this.#counters.sets++;
        const filled = this.#tiers.fill(lease, encoded, windows, loadTime);
        this.#watchOn(flight);
        if (!(await filled)) refused = 'overtaken';
        else this.#tell('cache:set', { key, ttl: windows.fresh / 1000 });
      }
    } catch (error) {
      refused = 'unavailable';
      this.#tiers.failed(error);
    }
    if (refused === undefined) return;
    this.#counters.refused++;
    this.#tell('cache:refused', { key, reason: refused });
  }

  /**
   * @param {FlightInstance} flight
   * @param {unknown} error
   * @returns {Promise<Landing>}
   */
  async #loadFailed(flight, error) {
    const { key, call } = flight;
    this.#counters.loadErrors++;
    // It only did what its signal asked for: those who wait are to have a value all the same.
    if (flight.fenced && flight.aborted && flight.waiters > 0) {
      const again = this.#joinable(key) ?? this.#take(key, flight.loader, call, false);
      return again.landed;
    }
    const left = flight.aborted && flight.waiters === 0 && !flight.background;
    const holdOff = left ? 0 : Math.round(call.errorBackoff * (0.9 + Math.random() * 0.2));
    if (!flight.fenced) this.failures.remember(key, error, holdOff);
    // Those who wait in other threads and processes get the error, and nobody who comes later. That this caller's time was
    // over is no error of the source: they load.
    if (holdOff === 0 && !flight.aborted && !flight.refreshing) {
      await this.#giveUp(flight, describeError(error, true), FOR_WAITERS_MS);
    } else {
      await this.#giveUp(flight, holdOff > 0 ? describeError(error) : undefined, holdOff);
    }
    const stale = flight.background ? undefined : this.#staleOf(flight.stale ?? this.#distrusted(flight), key);
    if (stale !== undefined) {
      this.#tell('cache:error', error);
      return stale;
    }
    throw error;
  }

  /**
   * @param {FlightInstance} flight
   * @param {string | undefined} told
   * @param {number} holdOff
   */
  async #giveUp(flight, told, holdOff) {
    if (flight.lease === 0) return;
    try {
      const givenUp = this.#tiers.giveUp(flight.lease, told, holdOff);
      this.#watchOn(flight);
      await givenUp;
    } catch (error) {
      this.#tiers.failed(error);
    }
  }

  /**
   * What Redis has of a key whose load failed a moment ago: memory gave its copy up with the lease.
   * @param {FlightInstance} flight
   * @returns {Promise<Landing | undefined>}
   */
  async #insteadOf(flight) {
    if (this.#tiers.local || !this.#tiers.available) return undefined;
    if (this.#outbox.pending && !(await this.#outbox.settled(flight.key))) return undefined;
    const { found } = await this.#tiers.read(flight.key, true, true);
    if (found === undefined) return undefined;
    const hit = /** @type {Hit} */ (found);
    return hit.freshness === STALE || hit.freshness === STALE_ERROR
      ? this.#staleOf(hit, flight.key)
      : this.#hit(flight, hit);
  }

  /**
   * What memory still has of a key that Redis can say nothing about: better than an error, for whoever said so.
   * @param {FlightInstance} flight
   * @returns {Hit | undefined}
   */
  #distrusted({ key, call }) {
    return call.staleIfError === 0 || this.#tiers.available ? undefined : this.#tiers.peekDistrusted(key);
  }

  /**
   * @param {string} key
   * @param {(context: any) => any} loader
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit} local
   * @returns {Landing | undefined}
   */
  #serveLocal(key, loader, call, local) {
    if (local.freshness === STALE_ERROR) return undefined;
    if (local.freshness === STALE && call.staleWhileRevalidate === 0) return undefined;
    const value = this.#objects.decode(key, local, true);
    if (value === undefined) {
      this.#tiers.corrupt(key);
      this.#tiers.forget(key);
      return undefined;
    }
    this.#tiers.counters.memoryHits++;
    if (local.freshness === STALE) this.#counters.staleHits++;
    if (local.freshness === STALE || local.freshness === AHEAD) this.refresh(key, loader, call, local);
    return { value, encoded: undefined, source: 'memory', hit: local };
  }

  /**
   * What Redis had, or another thread.
   * @param {FlightInstance} flight
   * @param {string | Buffer | Hit} found
   * @param {boolean} [fromMemory]
   * @returns {Landing | undefined} undefined: it cannot be read
   */
  #hit(flight, found, fromMemory = false) {
    const { key } = flight;
    const hit = typeof found === 'string' || Buffer.isBuffer(found) ? undefined : found;
    const value =
      hit === undefined
        ? this.#objects.decodePlain(/** @type {string | Buffer} */ (found))
        : this.#objects.decode(key, hit, fromMemory);
    if (value === undefined) {
      this.#tiers.corrupt(key);
      return undefined;
    }
    flight.over = true;
    const source = fromMemory ? 'memory' : 'redis';
    this.#tiers.counters[fromMemory ? 'memoryHits' : 'redisHits']++;
    this.#tell('cache:hit', { key, tier: source });
    if (hit === undefined) {
      const codec = typeof found === 'string' ? JSON_TEXT : MSGPACK;
      return { value, encoded: { codec, payload: /** @type {string | Buffer} */ (found) }, source };
    }
    if (hit.freshness === STALE) this.#counters.staleHits++;
    if (hit.freshness === STALE || isDue(hit, flight.call.ahead)) {
      // This flight ends with this answer; the refresh is one of its own.
      flight.due = hit;
    }
    return { value, encoded: { codec: hit.codec, payload: hit.payload }, source, hit };
  }

  /**
   * A stale value instead of an error, or of a long wait.
   * @param {Hit | undefined} hit
   * @param {string} key
   * @returns {Landing | undefined}
   */
  #staleOf(hit, key) {
    if (hit === undefined) return undefined;
    const value = this.#objects.decode(key, hit, false);
    if (value === undefined) return undefined;
    this.#counters.staleHits++;
    return { value, encoded: { codec: hit.codec, payload: hit.payload }, source: 'stale', hit };
  }

  /**
   * A landing for one of those who did not begin the flight.
   * @param {Landing} landing
   * @returns {Landing}
   */
  #shared(landing) {
    if (landing.encoded === undefined) return landing;
    return { ...landing, value: this.#objects.decodeShared(landing.encoded) };
  }

  /** @param {FlightInstance} flight */
  #previous(flight) {
    return flight.stale === undefined
      ? undefined
      : () => this.#objects.decode(flight.key, /** @type {Hit} */ (flight.stale), false);
  }

  /** @param {string} key */
  #missed(key) {
    this.#tiers.counters.misses++;
    this.#tell('cache:miss', { key });
  }
}

/**
 * The tags whose stamps have to be known before the load.
 * @param {FlightInstance} flight
 * @returns {readonly string[]}
 */
function tagsToAskFor(flight) {
  // 'a' changes whenever any tag does.
  return mayComputeTags(flight) ? [...flight.call.knownTags, 'a'] : flight.call.knownTags;
}

/**
 * A loader that takes its context may set some.
 * @param {FlightInstance} flight
 */
function mayComputeTags({ call, loader }) {
  return typeof call.tags === 'function' || loader.length > 0;
}

/**
 * Whether refreshAhead says so; for memory the native tier does.
 * @param {Hit} hit
 * @param {number} ahead
 */
function isDue(hit, ahead) {
  if (ahead === 0 || hit.freshness !== 0) return false;
  if (Number.isNaN(ahead)) return hit.left <= -hit.loadTime * Math.log(1 - Math.random());
  return ahead > 0 ? hit.left <= ahead : hit.left <= (hit.left + hit.age) * (1 + ahead);
}

/** @typedef {Loads} LoadsInstance */

module.exports = { Loads };
