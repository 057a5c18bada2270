'use strict';
// npm run bench:batch: 100 objects of 170 B in one call of getMany, setMany and getOrSetMany, beside what people write by
// hand with ioredis: MGET or a pipeline, and JSON.

const { runBenchmark } = require('./lib/run');

const ADAPTERS = ['tiercel', 'tiercel-memory', 'ioredis'];
const TITLES = { get: 'getMany', set: 'setMany', load: 'getOrSetMany, all stored' };

runBenchmark({
  name: 'batch',
  defaults: { seconds: 1.5, rounds: 5 },
  packages: ['tiercel', 'ioredis'],
  cases: Object.entries(TITLES).map(([op, title]) => ({
    title: `${title}, 100 keys`,
    adapters: ADAPTERS,
    parameters: { workload: 'batch', inFlight: 16, op },
  })),
});
