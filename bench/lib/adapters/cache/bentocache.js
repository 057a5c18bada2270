'use strict';
// bentocache: memory and Redis, or Redis alone.

const { BentoCache, bentostore } = require('bentocache');
const { memoryDriver } = require('bentocache/drivers/memory');
const { redisDriver } = require('bentocache/drivers/redis');

module.exports = async function open({ port, memory, load }, memoryOptions = {}) {
  const store = bentostore();
  if (memory) store.useL1Layer(memoryDriver({ maxItems: 100_000, ...memoryOptions }));
  store.useL2Layer(redisDriver({ connection: { host: '127.0.0.1', port } }));
  const cache = new BentoCache({ default: 'bench', stores: { bench: store } });
  return {
    getOrSet: (key) => cache.getOrSet({ key, factory: () => load(key), ttl: '10m' }),
    close: () => cache.disconnectAll(),
  };
};
