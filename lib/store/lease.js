'use strict';
// A lease that was granted: the right to fill one key with an entry of bytes, until something overtakes it.
const { BYTES } = require('./codec-numbers');

class Lease {
  #tiers;
  #leases;
  #counters;
  #began = performance.now();

  /**
   * @param {string} key
   * @param {number} leaseId
   * @param {number} leaseFor ms
   * @param {import('./tiered-store').TieredStoreInstance} tiers
   * @param {import('./leases').LeasesInstance} leases
   * @param {{ sets: number }} counters
   */
  constructor(key, leaseId, leaseFor, tiers, leases, counters) {
    this.key = key;
    /** 0 when it has ended. */
    this.leaseId = leaseId;
    this.leaseFor = leaseFor;
    this.#tiers = tiers;
    this.#leases = leases;
    this.#counters = counters;
    leases.renewals.add(this);
  }

  leaseLost() {
    // The fill finds that out, too; there is nothing to renew any more.
    this.#leases.renewals.delete(this);
  }

  #take() {
    const { leaseId } = this;
    this.leaseId = 0;
    this.#leases.renewals.delete(this);
    return leaseId;
  }

  /** @param {number} leaseId */
  #end(leaseId) {
    this.#tiers.drop(leaseId);
    this.#leases.waiters.keyChanged(this.key);
  }

  /** Whether nothing has overtaken it, as far as this process has heard. */
  get current() {
    return this.leaseId !== 0 && this.#tiers.current(this.leaseId);
  }

  /** Whether an entry would be stored now, as far as this process knows. */
  get isFillable() {
    return this.#tiers.available && this.current;
  }

  /**
   * Whether none of these tags, and nothing else, has made it worthless since it was granted. Never rejects.
   * @param {readonly string[]} tags whole names
   */
  async stands(tags) {
    try {
      const { leaseId } = this;
      return leaseId !== 0 && (await this.#tiers.addTags(leaseId, tags)) && (await this.#tiers.held(leaseId));
    } catch {
      return false;
    }
  }

  /**
   * Stores the entry and ends the lease. Never rejects.
   * @param {Buffer} payload
   * @param {object} metadata
   * @param {import('./tiered-store').Windows} windows
   * @param {readonly string[]} tags whole names that were not known before
   * @returns {Promise<boolean>} false: overtaken, or Redis did not take it
   */
  async fill(payload, metadata, windows, tags) {
    const leaseId = this.#take();
    if (leaseId === 0) return false;
    const tiers = this.#tiers;
    try {
      if (tags.length > 0 && !(await tiers.addTags(leaseId, tags))) {
        await tiers.giveUp(leaseId, undefined, 0);
        return false;
      }
      const loadTime = Math.round(performance.now() - this.#began);
      const entry = { codec: BYTES, payload };
      const kept = await tiers.fill(leaseId, entry, windows, loadTime, JSON.stringify(metadata));
      if (kept) this.#counters.sets++;
      return kept;
    } catch (error) {
      tiers.failed(error);
      return false;
    } finally {
      this.#end(leaseId);
    }
  }

  /**
   * Ends the lease without an entry. Never rejects.
   * @param {number} [apart] ms for which nobody is to wait for anybody else: there is nothing to store
   */
  async giveUp(apart = 0) {
    const leaseId = this.#take();
    if (leaseId === 0) return;
    try {
      await this.#tiers.giveUp(leaseId, apart > 0 ? '' : undefined, apart);
    } catch (error) {
      this.#tiers.failed(error);
    } finally {
      this.#end(leaseId);
    }
  }
}

/** @typedef {Lease} LeaseInstance */

module.exports = { Lease };
