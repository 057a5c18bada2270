'use strict';
// npm run bench:redis: GET and SET through Tiercel's Redis client and those of others, side by side.

const { runBenchmark } = require('./lib/run');

const ADAPTERS = ['tiercel', 'redis-fast-driver', 'ioredis-auto', 'ioredis', 'node-redis'];
const SIZES = [
  { bytes: 100, name: '100 B' },
  { bytes: 10_240, name: '10 KB' },
];

const cases = [];
for (const op of ['get', 'set']) {
  for (const { bytes, name } of SIZES) {
    for (const inFlight of [1, 64, 512]) {
      const title = `${op.toUpperCase()} ${name}, ${inFlight} in flight`;
      cases.push({ title, adapters: ADAPTERS, parameters: { workload: 'redis', op, bytes, inFlight } });
    }
  }
}

runBenchmark({
  name: 'redis',
  defaults: { seconds: 0.7, rounds: 3 },
  packages: ['tiercel', 'redis-fast-driver', 'ioredis', 'redis'],
  cases,
});
