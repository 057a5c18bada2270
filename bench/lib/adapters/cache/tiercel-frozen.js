'use strict';
// Tiercel's cache, whose hits all get the same deep-frozen object: what lru-cache does, but for the freezing.

const { createCache } = require('../../../..');

module.exports = async function open({ url, load }) {
  const cache = createCache({ redis: url, namespace: 'bench-frozen', ttl: '10m', share: 'frozen' });
  return { getOrSet: (key) => cache.getOrSet(key, () => load(key)), close: () => cache.close() };
};
