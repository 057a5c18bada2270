'use strict';
// What the cache did, in all and by route, and a line or an event for each response on request.

/** @typedef {import('node:http').IncomingMessage & { originalUrl?: string, route?: { path?: unknown }, baseUrl?: string }} RoutedRequest */

/**
 * @typedef {'hit' | 'stale-while-revalidate' | 'stale-if-error' | 'revalidated' | 'collapsed' | 'miss' | 'bypass'} Outcome
 */

const MAX_ROUTES = 1000;
const OTHER = 'other';

const zeros = () => ({
  hits: 0,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  revalidated: 0,
  collapsed: 0,
  misses: 0,
  bypasses: 0,
});

/** @type {Record<Outcome, keyof ReturnType<typeof zeros>>} */
const COUNTERS = {
  hit: 'hits',
  'stale-while-revalidate': 'staleWhileRevalidate',
  'stale-if-error': 'staleIfError',
  revalidated: 'revalidated',
  collapsed: 'collapsed',
  miss: 'misses',
  bypass: 'bypasses',
};

class HttpMetrics {
  #log;
  #route;
  #total = zeros();
  /** @type {Map<string, ReturnType<typeof zeros>>} */
  #routes = new Map();
  /** @type {Map<string, number>} why answers were not stored */
  #refused = new Map();

  /** @param {{ log?: (event: object) => void, route?: (req: RoutedRequest) => string }} options */
  constructor({ log, route }) {
    this.#log = log;
    this.#route = route;
  }

  /**
   * @param {RoutedRequest} req
   * @param {string} outcome
   * @param {{ status: number, reason?: string, started?: number, age?: number }} more age: ms
   */
  count(req, outcome, { status, reason, started, age = 0 }) {
    const counter = COUNTERS[/** @type {Outcome} */ (outcome)];
    this.#total[counter]++;
    if (reason !== undefined) this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    const route = this.#route === undefined ? undefined : this.#routeOf(req);
    if (route !== undefined) this.#ofRoute(route)[counter]++;
    if (this.#log === undefined) return;
    try {
      this.#log({
        method: req.method ?? '',
        url: req.originalUrl || req.url || '',
        route,
        status,
        outcome,
        detail: reason ?? '',
        age: Math.floor(age / 1000),
        ms: started === undefined ? 0 : performance.now() - started,
      });
    } catch {
      // What the log does is not the client's affair.
    }
  }

  /**
   * The commonest outcome, and the cheapest.
   * @param {RoutedRequest} req
   * @param {{ statusCode: number }} res
   * @param {import('../storage/stored-response').Usable} stored
   */
  hit(req, res, stored) {
    if (this.#log === undefined && this.#route === undefined) this.#total.hits++;
    else this.count(req, 'hit', { status: res.statusCode, age: stored.metadata.age + stored.age });
  }

  snapshot() {
    return {
      ...this.#total,
      refused: Object.fromEntries(this.#refused),
      routes: Object.fromEntries([...this.#routes].map(([name, counters]) => [name, { ...counters }])),
    };
  }

  /** @param {RoutedRequest} req */
  #routeOf(req) {
    try {
      return String(this.#route?.(req));
    } catch {
      return OTHER;
    }
  }

  /**
   * @param {string} route
   * @returns {ReturnType<typeof zeros>}
   */
  #ofRoute(route) {
    let counters = this.#routes.get(route);
    if (counters === undefined) {
      // A route that names its ids must not become a leak.
      if (this.#routes.size >= MAX_ROUTES && route !== OTHER) return this.#ofRoute(OTHER);
      this.#routes.set(route, (counters = zeros()));
    }
    return counters;
  }
}

module.exports = { HttpMetrics };
