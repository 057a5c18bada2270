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
 * How one caller looks for a lease.
 * @template Entry
 * @typedef {object} Search
 * @property {() => Promise<any>} ask looks once, and takes the lease when it is free
 * @property {(found: any, fromMemory: boolean) => Entry | null | undefined} accept an entry that was found;
 *   null: it is not for this caller, and stays; undefined: it cannot be read, and is removed because nobody could take the
 *   lease while it is there
 * @property {boolean} [renewing] the lease is for an entry that stays readable: when that is gone, so is the search
 * @property {number} [until] performance.now() up to which somebody else's lease is waited for; default: no limit
 * @property {() => void} [onMiss] called when there is no entry, possibly more than once
 * @property {() => void} [onBusy] called when somebody else has the lease
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
  }

  get closed() {
    return this.#closed;
  }

  /**
   * One look at a key: its entry, its lease, or what keeps both away. An outdated entry is replaced by the lease.
   * @param {Waiter} waiter
   * @param {number} leaseFor ms
   * @param {readonly string[]} tags whose stamps count from now on, whole names
   * @param {boolean} whole an entry always as a whole Hit
   * @returns {Promise<any>} as from acquire() of the tiered store
   */
  async look({ key, ticket }, leaseFor, tags, whole) {
    const found = await this.#tiers.acquire(key, leaseFor, tags, ticket, whole);
    if (/** @type {any} */ (found)?.kind !== OUTDATED) return found;
    return this.#tiers.takeOver(key, leaseFor, tags, /** @type {Outcome} */ (found).payload);
  }

  /**
   * Looks at the key of the waiter until there is an entry, the lease, or a reason to stop. The waiter has entered. The lease
   * is granted to it in the turn in which it is known. Never rejects, but for what accept() throws.
   * @template Entry
   * @param {Waiter} waiter
   * @param {Search<Entry>} search
   * @returns {Promise<Sought<Entry>>}
   */
  async seek(waiter, { ask, accept, renewing = false, until = Infinity, onMiss, onBusy }) {
    const tiers = this.#tiers;
    const { key } = waiter;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      waiter.changed = false;
      let found;
      try {
        found = await ask();
      } catch (error) {
        tiers.failed(error);
        onMiss?.();
        return { reason: 'unavailable' };
      }
      let readable = true;
      if (found === null) {
        tiers.corrupt(key);
        readable = false;
      } else if (found !== undefined && isHit(found)) {
        const entry = accept(found, false);
        if (entry !== undefined && entry !== null) return { entry };
        readable = entry !== undefined;
      } else {
        onMiss?.();
        switch (found?.kind) {
          case LEASED:
            waiter.granted(found.lease);
            return { leaseId: found.lease };
          case BUSY: {
            if (this.#closed) return { reason: 'closed' };
            const patience = until - performance.now();
            if (patience <= 0) return { reason: 'busy' };
            onBusy?.();
            // Only a key that changes all the time is given up; a lease that is renewed is none.
            if (await this.#wait(waiter, Math.min(found.left + MARGIN_MS, patience))) looks = 0;
            break;
          }
          case AGAIN:
          case OUTDATED: {
            if (renewing) return { reason: 'gone' };
            const local = tiers.peekWhole(key, true);
            const entry = local === undefined ? null : accept(local, true);
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
