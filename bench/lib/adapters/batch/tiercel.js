'use strict';
// Tiercel's cache on Redis alone.

const { createCache } = require('../../../..');

module.exports = async function open({ url }, options = { memory: false }) {
  const cache = createCache({ redis: url, namespace: 'bench-batch', ttl: '10m', ...options });
  return {
    get: (keys) => cache.getMany(keys),
    set: (pairs) => cache.setMany(pairs),
    load: (keys, load) => cache.getOrSetMany(keys, load),
    close: () => cache.close(),
  };
};
