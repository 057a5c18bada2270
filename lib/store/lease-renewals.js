'use strict';
// Keeps leases alive while their loads run. A lease is short, so that a holder that dies or freezes is soon replaced; its
// holder renews it three times in its length. One timer serves all leases of a cache.
const { clearTimeout, setTimeout } = require('../timers');

/**
 * Whoever holds a lease.
 * @typedef {object} Holder
 * @property {number} leaseId 0 when the lease has ended
 * @property {number} leaseFor ms
 * @property {boolean} [aborted] it is no longer wanted: its lease runs out
 * @property {() => void} leaseLost told when it turns out that somebody else may have the lease by now
 */

class LeaseRenewals {
  #tiers;
  /** @type {Map<Holder, number>} when each is due */
  #due = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #timer = undefined;
  #firesAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** @param {import('./tiered-store').TieredStoreInstance} tiers */
  constructor(tiers) {
    this.#tiers = tiers;
  }

  /** @param {Holder} holder */
  add(holder) {
    const now = performance.now();
    const due = now + holder.leaseFor / 3;
    this.#due.set(holder, due);
    if (due < this.#firesAt) this.#arm(due, now);
  }

  /**
   * The timer stays: it finds out whether there is something to renew, and costs less than one for each load.
   * @param {Holder} holder
   */
  delete(holder) {
    this.#due.delete(holder);
    if (this.#closed && this.#due.size === 0) this.#disarm();
  }

  /** The timer ends with the last lease. */
  close() {
    this.#closed = true;
    if (this.#due.size === 0) this.#disarm();
  }

  #disarm() {
    clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  /**
   * @param {number} due
   * @param {number} now
   */
  #arm(due, now) {
    clearTimeout(this.#timer);
    this.#firesAt = due;
    this.#timer = setTimeout(() => this.#renewDue(), Math.max(1, due - now));
    // The load keeps the process, or nothing does.
    this.#timer.unref();
  }

  // All of one turn leave in one write.
  #renewDue() {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [holder, due] of this.#due) {
      if (due > now + 1) {
        next = Math.min(next, due);
        continue;
      }
      // Nobody waits for what it loads: the next who asks is not to wait for it either.
      if (holder.aborted) {
        this.#due.delete(holder);
        continue;
      }
      const again = now + holder.leaseFor / 3;
      this.#due.set(holder, again);
      next = Math.min(next, again);
      void this.#renew(holder);
    }
    if (next < this.#firesAt) this.#arm(next, now);
  }

  /** @param {Holder} holder */
  async #renew(holder) {
    const { leaseId, leaseFor } = holder;
    if (leaseId === 0) return;
    let held;
    try {
      held = await this.#tiers.renew(leaseId, leaseFor);
    } catch {
      return; // Redis did not answer: the fill finds out whether the lease is lost
    }
    if (!held && holder.leaseId === leaseId) holder.leaseLost();
  }
}

/** @typedef {LeaseRenewals} LeaseRenewalsInstance */

module.exports = { LeaseRenewals };
