'use strict';
// Tiercel's cache: both tiers, or Redis alone.

const { createCache } = require('../../../..');

module.exports = async function open({ url, memory, load }) {
  const cache = createCache({ redis: url, namespace: 'bench', ttl: '10m', ...(memory ? {} : { memory: false }) });
  return { getOrSet: (key) => cache.getOrSet(key, () => load(key)), close: () => cache.close() };
};
