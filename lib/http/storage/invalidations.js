'use strict';
// Invalidation: what is stored goes, or counts as stale, because somebody says so or because an unsafe method succeeded.

const { onOutcome } = require('../record/response-methods');
const { RequestContext } = require('../record/request-context');
const { HitForMiss } = require('./hit-for-miss');
const { RequestKeys, targetOf } = require('./request-key');
const { addStatus } = require('../rfc/cache-status');
const { runPost } = require('./post-as-get');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {{ url?: string | string[], tag?: string | string[], pattern?: string, key?: string, soft?: boolean }} Purge */

// What a POST is answered with seldom changes its kind.
const PLAIN_POST_MS = 60_000;
// Both kinds of mount, so that a purge reaches what either has stored.
const SPACES = ['front', 'http'];

class Invalidations {
  #options;
  #store;
  #keys;
  #flights;
  #metrics;
  #mount;
  /** URLs whose POSTs are answered with nothing to store. */
  #plainPosts = new HitForMiss(PLAIN_POST_MS);

  /** @param {import('../mount').MountInstance} mount */
  constructor(mount) {
    this.#mount = mount;
    this.#options = mount.options;
    this.#store = mount.store;
    this.#keys = mount.keys;
    this.#flights = mount.flights;
    this.#metrics = mount.metrics;
  }

  /**
   * Makes stored responses go, or count as stale. Rejects with CacheUnavailableError when Redis did not acknowledge it.
   * @param {Purge} what
   * @returns {Promise<void>}
   */
  async purge({ url, tag, pattern, key, soft = false }) {
    const work = [];
    for (const one of [url ?? []].flat()) {
      for (const base of this.#basesOf((keys) => keys.ofUrl(one))) work.push(this.#purgeBase(base, soft));
    }
    for (const base of key === undefined ? [] : this.#basesOf((keys) => keys.ofKey(key))) {
      work.push(this.#purgeBase(base, soft));
    }
    const tags = [tag ?? []].flat();
    if (tags.length > 0) {
      this.#flights.overtake(() => true);
      work.push(this.#store.invalidateTags(tags));
    }
    if (pattern !== undefined) {
      this.#flights.overtake(() => true);
      for (const space of SPACES) work.push(this.#store.invalidatePattern(`${space}*:GET:${pattern}`));
    }
    // All of them are begun, whatever becomes of one.
    for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /**
   * @param {(keys: import('./request-key').RequestKeysInstance) => string[]} select
   * @returns {string[]}
   */
  #basesOf(select) {
    return SPACES.flatMap((space) => select(new RequestKeys(space, this.#options)));
  }

  /**
   * @param {string} base
   * @param {boolean} soft
   */
  async #purgeBase(base, soft) {
    this.#flights.overtake((other) => other === base);
    await this.#store.purge(base, soft);
  }

  /**
   * Runs the handler of an unsafe method, which makes what is stored go if it succeeds.
   * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.4
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward
   * @param {string | undefined} base
   * @param {number} depth
   */
  watch(req, res, forward, base, depth) {
    /** @type {(status: number, stored: boolean) => void} */
    const passed = (status, stored) => {
      if (!res.destroyed) addStatus(res, `${this.#options.name}; fwd=method${stored ? '; stored' : ''}`);
      this.#metrics.count(req, 'bypass', { status, reason: 'method' });
      // When it succeeded, and before its response leaves.
      if (status < 200 || status >= 400) return;
      const bases = new Set([base]);
      for (const name of ['location', 'content-location']) {
        const reference = res.getHeader(name);
        if (typeof reference === 'string') bases.add(this.#keys.ofReference(req, reference, depth));
      }
      if (stored && base !== undefined) {
        // But for the lease by which its own response is stored.
        bases.delete(base);
        this.#flights.overtake((other) => other === base);
        this.#store.remove(base).catch(() => {});
      }
      for (const one of bases) if (one !== undefined) this.#invalidate(one);
    };
    const isRecordable = req.httpVersionMajor < 2 && req.method === 'POST';
    const learns = this.#options.rules.storePost && isRecordable && base !== undefined;
    const target = learns && !this.#plainPosts.has(base) && targetOf(req, base, this.#options);
    if (target) {
      void runPost(new RequestContext(req, res, forward, target, depth), this.#mount, {
        isOwnUrl: (head) => {
          const location = head.get('content-location');
          return location !== undefined && this.#keys.ofReference(req, location, depth) === base;
        },
        onHead: ({ status }, stored) => {
          if (stored) this.#plainPosts.delete(target.base);
          else this.#plainPosts.add(target.base);
          passed(status, stored);
        },
      });
      return;
    }
    // What a handler has changed is changed, whether its client waited for the response or not.
    onOutcome(res, (status) => passed(status, false));
    forward();
  }

  /** @param {string} base */
  #invalidate(base) {
    // Rejects when Redis did not acknowledge it; the cache remembers, and the app's answer does not depend on it.
    this.#purgeBase(base, false).catch(() => {});
  }
}

module.exports = { Invalidations };
