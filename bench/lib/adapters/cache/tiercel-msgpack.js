'use strict';
// Tiercel's cache with MessagePack, Redis alone.

const { createCache } = require('../../../..');

module.exports = async function open({ url, load }) {
  const options = {
    redis: url,
    namespace: 'bench-msgpack',
    ttl: '10m',
    codec: 'msgpack',
    memory: /** @type {const} */ (false),
  };
  const cache = createCache(options);
  return { getOrSet: (key) => cache.getOrSet(key, () => load(key)), close: () => cache.close() };
};
