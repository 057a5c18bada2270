'use strict';
// The lease protocol: of all who miss a key, in all processes, one is granted its lease and loads; the others wait for the
// entry, for the end of the lease, or as long as they may. Values (cache/load-coordinator.js) and HTTP responses
// (store/entries.js) both go through seek().
const { LeaseRenewals } = require('./lease-renewals');
const { LeaseWaiters } = require('./lease-waiters');
const { OUTDATED, AGAIN, LEASED, BUSY, FAILED, UNCACHEABLE, isHit } = require('./tiered-store');

// A key that changes all the time is given up after so many looks.
const MOST_LOOKS = 50;
// Where Redis announces no changes, those who wait look again after so long.
const UNANNOUNCED_MS = 50;
// Time for a lease to end in Redis, beyond what it had left.
const MARGIN_MS = 5;

/** @typedef {import('./tiered-store').Hit} Hit */
/** @typedef {import('./tiered-store').Outcome} Outcome */
/** @typedef {import('./lease-waiters').WaiterInstance} Waiter */

/**
 * What a product does at each step of a search, for the waiter that searches.
 * @template {Waiter} Seeker
 * @template Entry
 * @typedef {object} Search
 * @property {(waiter: Seeker) => any} ask looks once, and takes the lease when it is free: what acquire() of the tiered
 *   store gives
 * @property {(waiter: Seeker, found: any) => Promise<any> | undefined} [instead] what is asked for in the place of what was
 *   found; undefined: nothing
 * @property {(waiter: Seeker, found: any, fromMemory: boolean) => Entry | null | undefined} accept an entry that was found;
 *   null: it is not for this caller, and stays; undefined: it cannot be read, and is removed because nobody could take the
 *   lease while it is there
 * @property {(waiter: Seeker) => void} [onMiss] called when there is no entry, possibly more than once
 * @property {(waiter: Seeker) => void} [onBusy] called when somebody else has the lease
 */

/**
 * An entry, the lease, or why there is neither: Redis did not answer or has no room ('unavailable'), the cache is being
 * closed ('closed'), somebody else holds the lease for longer than `until` ('busy'), the entry to renew is gone ('gone'), the
 * caller gave up ('aborted'), a load has shown that there is nothing to store ('uncacheable'), the load that was waited for
 * failed ('failed'), the key changes all the time ('changing').
 * @template Entry
 * @typedef {{ entry: Entry, leaseId?: undefined, reason?: undefined }
 *   | { leaseId: number, entry?: undefined, reason?: undefined }
 *   | { reason: 'unavailable' | 'closed' | 'busy' | 'gone' | 'aborted' | 'uncacheable' | 'failed' | 'changing',
 *       outcome?: Outcome, entry?: undefined, leaseId?: undefined }} Sought
 */

class Leases {
  #tiers;
  #closed = false;
  waiters = new LeaseWaiters();
  renewals;

  /** @param {import('./tiered-store').TieredStoreInstance} tiers */
  constructor(tiers) {
    this.#tiers = tiers;
    this.renewals = new LeaseRenewals(tiers);
  }

  /** From now on nobody waits for somebody else's lease. */
  close() {
    this.#closed = true;
    this.renewals.close();
  }

  get closed() {
    return this.#closed;
  }

  /**
   * Looks at the key of the waiter until there is an entry, the lease, or a reason to stop. The waiter has entered. The lease
   * is granted to it in the turn in which it is known; without Redis that is this one. Neither throws nor rejects, but for
   * what accept() throws.
   * @template {Waiter} Seeker
   * @template Entry
   * @param {Seeker} waiter
   * @param {Search<Seeker, Entry>} search
   * @returns {Sought<Entry> | Promise<Sought<Entry>>}
   */
  seek(waiter, search) {
    waiter.changed = false;
    let asked;
    try {
      asked = search.ask(waiter);
    } catch (error) {
      return this.#unavailable(waiter, search, error);
    }
    return asked?.kind === LEASED ? this.#granted(waiter, search, asked) : this.#seekOn(waiter, search, asked);
  }

  /**
   * @template {Waiter} Seeker
   * @template Entry
   * @param {Seeker} waiter
   * @param {Search<Seeker, Entry>} search
   * @param {any} asked what the first look gives
   * @returns {Promise<Sought<Entry>>}
   */
  async #seekOn(waiter, search, asked) {
    const tiers = this.#tiers;
    const { key } = waiter;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      let found;
      try {
        if (looks > 0) {
          waiter.changed = false;
          asked = search.ask(waiter);
        }
        found = await asked;
        const instead = this.#instead(waiter, search, found);
        if (instead !== undefined) found = await instead;
      } catch (error) {
        return this.#unavailable(waiter, search, error);
      }
      let readable = true;
      if (found === null) {
        tiers.corrupt(key);
        readable = false;
      } else if (found !== undefined && isHit(found)) {
        const entry = search.accept(waiter, found, false);
        if (entry !== undefined && entry !== null) return { entry };
        readable = entry !== undefined;
      } else if (found?.kind === LEASED) {
        return this.#granted(waiter, search, found);
      } else {
        search.onMiss?.(waiter);
        switch (found?.kind) {
          case BUSY: {
            if (this.#closed) return { reason: 'closed' };
            const patience = waiter.until - performance.now();
            if (patience <= 0) return { reason: 'busy' };
            search.onBusy?.(waiter);
            // Only a key that changes all the time is given up; a lease that is renewed is none.
            if (await this.#wait(waiter, Math.min(found.left + MARGIN_MS, patience))) looks = 0;
            break;
          }
          case AGAIN:
          case OUTDATED: {
            if (waiter.renewing) return { reason: 'gone' };
            const local = tiers.peekWhole(key, true);
            const entry = local === undefined ? null : search.accept(waiter, local, true);
            if (entry !== undefined && entry !== null) return { entry };
            readable = entry !== undefined;
            break;
          }
          case FAILED:
            return { reason: 'failed', outcome: found };
          case UNCACHEABLE:
            return { reason: 'uncacheable' };
          default: // Redis has no room for a lease, nor for an entry
            return { reason: 'unavailable' };
        }
      }
      // Whatever it is, nobody can take the lease while it is there.
      if (!readable) await tiers.remove(key).catch((error) => tiers.failed(error));
      if (waiter.aborted) return { reason: 'aborted' };
    }
    return { reason: 'changing' };
  }

  /**
   * An outdated entry is replaced by the lease.
   * @param {Waiter} waiter
   * @param {Search<any, any>} search
   * @param {any} found
   * @returns {Promise<any> | undefined}
   */
  #instead(waiter, search, found) {
    if (found?.kind === OUTDATED && !waiter.renewing) {
      return this.#tiers.takeOver(waiter.key, waiter.leaseFor, waiter.tags, /** @type {Outcome} */ (found).payload);
    }
    return search.instead?.(waiter, found);
  }

  /**
   * @param {Waiter} waiter
   * @param {Search<any, any>} search
   * @param {Outcome} outcome
   */
  #granted(waiter, search, { lease }) {
    search.onMiss?.(waiter);
    waiter.granted(lease);
    return { leaseId: lease };
  }

  /**
   * @param {Waiter} waiter
   * @param {Search<any, any>} search
   * @param {unknown} error
   * @returns {Sought<any>}
   */
  #unavailable(waiter, search, error) {
    this.#tiers.failed(error);
    search.onMiss?.(waiter);
    return { reason: 'unavailable' };
  }

  /**
   * @param {Waiter} waiter
   * @param {number} ms
   * @returns {Promise<boolean>} whether it waited for longer than a key takes that changes all the time
   */
  async #wait(waiter, ms) {
    const began = performance.now();
    await this.waiters.wait(waiter, Math.max(1, this.#tiers.announced ? ms : Math.min(ms, UNANNOUNCED_MS)));
    return performance.now() - began >= UNANNOUNCED_MS;
  }
}

/** @typedef {Leases} LeasesInstance */

module.exports = { Leases };
