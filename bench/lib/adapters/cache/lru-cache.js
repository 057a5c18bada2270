'use strict';
// lru-cache: memory alone, hands out the stored object itself.

const { LRUCache } = require('lru-cache');

module.exports = async function open({ load }) {
  const cache = new LRUCache({ max: 100_000, ttl: 600_000, fetchMethod: load });
  return { getOrSet: (key) => cache.fetch(key), close: () => cache.clear() };
};
