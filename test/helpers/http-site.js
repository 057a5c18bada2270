'use strict';
// One site, wherever the cache may stand: each mount, over each tier, with compression inside of it, outside, or not at
// all. A hazard that is tried through here is tried everywhere:
//
//   everywhere((test) => {
//     test('…', async (start) => {
//       const site = await start((req, res, run) => res.end(`run ${run}`), { ttl: 60 });       options of cacheResponse

const compression = require('compression');
const express = require('express');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { serve, request, cleanUp, onCleanUp } = require('./http');
const { together } = require('./http-together');
const { ownNamespace } = require('./memory-cache');
const { RedisServer } = require('./redis-server');
const { onTime } = require('./timed');
const { turns, until } = require('./until');

const MOUNTS = ['in front', 'as middleware'];
const TIERS = ['memory', 'Redis', 'memory and Redis'];
const PLACES = MOUNTS.flatMap((mount) => TIERS.map((tiers) => /** @type {[string, string]} */ ([mount, tiers])));
// Both mounts and all tiers, but not each with each: for hazards that the policy meets, and no tier.
/** @type {typeof PLACES} */
const SOME_PLACES = [
  ['in front', 'memory and Redis'],
  ['as middleware', 'Redis'],
  ['as middleware', 'memory'],
];
// A try that fails is made again when the loop stood still for so long in it: handlers, clients and Redis are late then.
const STALL_MS = 50;
// A write that is on its way has arrived by then.
const SETTLED_TURNS = 20;

/**
 * @typedef {object} Place
 * @property {string} mount
 * @property {string} tiers
 * @property {'inside' | 'outside'} [compress] where compression stands, seen from the cache
 */

/** A server with a cache, and how often its handler ran. */
class Site {
  runs = 0;
  port = 0;
  host = '';
  /** @type {any} */
  cache;
  /** @type {any} the mount */
  caching;

  /**
   * @param {string} path
   * @param {Record<string, any>} [headers]
   * @param {{ method?: string, body?: string }} [more]
   */
  get(path, headers = {}, more = {}) {
    return request(this, path, { headers, ...more });
  }

  /**
   * The same, when everything before it has been stored that ever will be.
   * @param {string} path
   * @param {Record<string, any>} [headers]
   * @param {{ method?: string, body?: string }} [more]
   */
  async later(path, headers, more) {
    await turns(SETTLED_TURNS);
    // Behind everything that was sent to Redis.
    await this.cache.health();
    return this.get(path, headers, more);
  }

  /**
   * Asks until it is answered by a hit, which must come.
   * @param {string} path
   * @param {Record<string, any>} [headers]
   */
  hit(path, headers) {
    return until(`a hit of ${path}`, async () => {
      const answer = await this.get(path, headers);
      return answer.cacheStatus.includes('; hit') ? answer : undefined;
    });
  }
}

/**
 * @typedef {(handler: Handler, options?: object, compress?: Place['compress']) => Promise<Site>} Start
 * @typedef {{
 *   (name: string, body: (start: Start, place: Place) => Promise<void>, timeout?: number): void,
 *   each: (rows: readonly any[]) =>
 *     (name: string, body: (start: Start, ...row: any[]) => Promise<void>, timeout?: number) => void,
 * }} TestInPlaces
 */

/**
 * Gives tests that each run in all of the places at once: most of their time they wait, for a page to become stale or
 * for a handler, and the places can do that together. A failure names the places in which it happened.
 * @param {(test: TestInPlaces) => void} tests
 * @param {Array<[mount: string, tiers: string]>} [places] {@link SOME_PLACES} where it makes no difference which tier it is
 */
function everywhere(tests, places = PLACES) {
  /** @type {{ url: string, stop?: () => Promise<void> }} */
  let redis;
  beforeAll(async () => {
    redis = await sharedRedis();
  });
  afterEach(cleanUp);
  afterAll(() => redis.stop?.());
  const inAll = (/** @type {(start: Start, place: Place) => Promise<void>} */ body) => () =>
    together(
      places,
      onTime(
        ([mount, tiers]) =>
          body((handler, options, compress) => start(handler, options, { mount, tiers, compress }, redis), {
            mount,
            tiers,
          }),
        { stall: STALL_MS, tries: 3 },
      ),
    );
  const define = /** @type {TestInPlaces} */ ((name, body, timeout) => test(name, inAll(body), timeout));
  define.each = (rows) => (name, body, timeout) =>
    test.each(rows)(name, (...row) => inAll((begin) => body(begin, ...row))(), timeout);
  tests(define);
}

/** The server that the whole run has, else one for this file. */
async function sharedRedis() {
  const url = process.env.TIERCEL_TEST_REDIS_URL;
  return url ? { url } : RedisServer.start();
}

/** @typedef {(req: any, res: any, run: number) => void} Handler */

/**
 * @param {Handler} handler
 * @param {object} [options] of cacheResponse
 * @param {Place} place
 * @param {{ url: string }} redis
 * @returns {Promise<Site>}
 */
async function start(handler, options, { mount, tiers, compress }, redis) {
  const cache = createCache({
    redis: tiers === 'memory' ? false : redis.url,
    ...(tiers === 'Redis' && { memory: false }),
    namespace: ownNamespace(),
  });
  onCleanUp(() => cache.close());
  if (tiers !== 'memory') await until('a connection', async () => (await cache.health()).redis === 'ok');
  const site = new Site();
  site.cache = cache;
  const counted = (/** @type {any} */ req, /** @type {any} */ res) => handler(req, res, ++site.runs);
  const given = { cache, ...options };
  const { port, host } = await serve(listenerOf(mount, compress, counted, given, site));
  return Object.assign(site, { port, host });
}

/**
 * @param {string} mount
 * @param {Place['compress']} compress
 * @param {(req: any, res: any) => void} handler
 * @param {object} options
 * @param {Site} site
 * @returns {(req: any, res: any) => void}
 */
function listenerOf(mount, compress, handler, options, site) {
  const shrink = compression({ threshold: 0 });
  const app = express();
  app.disable('x-powered-by').disable('etag');
  // What it prints of the errors that tests throw would only be noise.
  app.set('env', 'test');
  if (mount === 'as middleware') {
    site.caching = cacheResponse(options);
    if (compress === 'outside') app.use(shrink);
    app.use(site.caching);
    if (compress === 'inside') app.use(shrink);
    return app.use(handler);
  }
  if (compress === 'inside') app.use(shrink);
  app.use(handler);
  const caching = (site.caching = cacheResponse.front(app, options));
  if (compress !== 'outside') return caching;
  return (req, res) => shrink(req, res, () => caching(req, res));
}

module.exports = { everywhere, PLACES, SOME_PLACES, SETTLED_TURNS };
