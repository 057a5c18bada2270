'use strict';
// What the shop caches by key, for how long, and what a change of a product makes invalid. Whole answers are cached in
// the routes, with cacheResponse.

const { cacheKey } = require('tiercel');

const DASHBOARD_DAYS = [7, 30, 90, 365];
const REVISION_KEY = 'catalogue-revision';
const productKey = (id) => cacheKey('product', id);

function createCachedQueries({ cache, queries, logger }) {
  /** `{ product, isHit }`; the product is undefined, and then not cached, when there is none with this id. */
  async function product(id) {
    let isHit = true;
    const load = () => {
      isHit = false;
      return queries.getProduct(id);
    };
    return { product: await cache.getOrSet(productKey(id), load, { ttl: '5m' }), isHit };
  }

  const dashboard = cache.memoize((days) => queries.dashboard(days), {
    key: (days) => cacheKey('dashboard', days),
    ttl: '1m',
  });

  /**
   * A number that changes with every change of a product. As a part of the key of lists it makes them all new at once,
   * in every process: nobody has to know which pages, filters and searches are cached.
   */
  function catalogueRevision() {
    return cache.getOrSet(REVISION_KEY, () => queries.catalogueRevision(), { ttl: '30s' });
  }

  /**
   * Call it after a product was changed in the database. Resolves false when Redis could not be told: old answers may
   * then be seen until their time is over.
   */
  async function productChanged(id) {
    const results = await Promise.allSettled([
      cache.delete(productKey(id)),
      cache.delete(REVISION_KEY),
      ...DASHBOARD_DAYS.map((days) => dashboard.invalidate(days)),
    ]);
    const failure = results.find(({ status }) => status === 'rejected');
    if (failure) logger.warn(`Product ${id} was changed, but the cache could not be told: ${failure.reason.message}`);
    return failure === undefined;
  }

  return { product, dashboard, catalogueRevision, productChanged };
}

module.exports = { createCachedQueries, DASHBOARD_DAYS };
