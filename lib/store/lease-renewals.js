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

  /** @param {import('./tiered-store').TieredStoreInstance} tiers */
  constructor(tiers) {
    this.#tiers = tiers;
  }

  /** @param {Holder} holder */
  add(holder) {
    this.#due.set(holder, performance.now() + holder.leaseFor / 3);
    this.#arm();
  }

  /** @param {Holder} holder */
  delete(holder) {
    this.#due.delete(holder);
    if (this.#due.size > 0) return;
    clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #arm() {
    let next = Number.POSITIVE_INFINITY;
    for (const due of this.#due.values()) next = Math.min(next, due);
    if (next >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = next;
    this.#timer = setTimeout(() => this.#renewDue(), Math.max(1, next - performance.now()));
    // The load keeps the process, or nothing does.
    this.#timer.unref();
  }

  // All of one turn leave in one write.
  #renewDue() {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const [holder, due] of this.#due) {
      if (due > now + 1) continue;
      // Nobody waits for what it loads: the next who asks is not to wait for it either.
      if (holder.aborted) {
        this.#due.delete(holder);
        continue;
      }
      this.#due.set(holder, now + holder.leaseFor / 3);
      void this.#renew(holder);
    }
    this.#arm();
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
