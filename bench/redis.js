'use strict';
// npm run bench:redis: GET, SET and MGET through Tiercel's Redis client and those of others, side by side.

const { runBenchmark } = require('./lib/run');

const ADAPTERS = [
  'tiercel',
  'redis-fast-driver',
  'ioredis-auto',
  'ioredis',
  'iovalkey-auto',
  'node-redis',
  'valkey-glide',
];
const SIZES = { 100: '100 B', 10_240: '10 KB', 102_400: '100 KB', 1_048_576: '1 MB' };
const LARGE = 65_536;
// The cases of --quick: those that the budgets are about.
const QUICK = new Set([
  'GET 100 B, 1',
  'GET 100 B, 512',
  'SET 100 B, 512',
  'GET 10 KB, 64',
  'GET 1 MB, 4',
  'MGET 100 B, 16',
]);

const cases = [];

function add(op, bytes, inFlight) {
  const name = `${op.toUpperCase()} ${SIZES[bytes]}, ${inFlight}`;
  cases.push({
    title: `${name} in flight`.replace('MGET', 'MGET of 100 ×'),
    adapters: ADAPTERS,
    // A large value must not hold the event loop up: there, its delay is measured too.
    parameters: { workload: 'redis', op, bytes, inFlight, watchLoop: bytes >= LARGE },
    quick: QUICK.has(name),
  });
}

for (const op of ['get', 'set']) {
  for (const bytes of [100, 10_240]) {
    for (const inFlight of [1, 64, 512]) add(op, bytes, inFlight);
  }
  add(op, 102_400, 16);
  add(op, 1_048_576, 4);
}
add('mget', 100, 16);

runBenchmark({
  name: 'redis',
  defaults: { seconds: 0.5, rounds: 3 },
  packages: ['tiercel', 'redis-fast-driver', 'ioredis', 'iovalkey', 'redis', '@valkey/valkey-glide'],
  cases,
  maxLoopDelay: 10,
});
