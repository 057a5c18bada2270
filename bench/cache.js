'use strict';
// npm run bench:cache: hits of getOrSet with a JSON object of 2 KB, from memory and from Redis.

const { runBenchmark } = require('./lib/run');

const parameters = { workload: 'cache', inFlight: 64 };

runBenchmark({
  name: 'cache',
  defaults: { seconds: 2, rounds: 5 },
  packages: ['tiercel', 'bentocache', 'lru-cache', 'ioredis'],
  cases: [
    {
      title: 'getOrSet, memory hit',
      adapters: ['tiercel', 'tiercel-frozen', 'bentocache', 'bentocache-raw', 'lru-cache'],
      parameters: { ...parameters, tier: 'memory' },
    },
    {
      title: 'getOrSet, Redis hit',
      adapters: ['tiercel', 'tiercel-msgpack', 'bentocache', 'ioredis-json'],
      parameters: { ...parameters, tier: 'redis' },
    },
  ],
});
