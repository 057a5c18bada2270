'use strict';
// npm run bench:session: stores for express-session, with sessions of 1 KB; and whole requests through express-session.

const { runBenchmark } = require('./lib/run');

const PEERS = ['tiercel', 'connect-redis-9', 'connect-redis-8'];
const parameters = { workload: 'session', inFlight: 64 };

runBenchmark({
  name: 'session',
  defaults: { seconds: 2, rounds: 5 },
  packages: ['tiercel', 'connect-redis', 'redis', 'connect-redis-8', 'ioredis', 'express-session'],
  cases: [
    { title: 'get, 1 KB', adapters: [...PEERS, 'json-alone'], parameters: { ...parameters, op: 'get' } },
    { title: 'set, 1 KB', adapters: [...PEERS, 'json-alone'], parameters: { ...parameters, op: 'set' } },
    // What express-session saves was loaded before: here Tiercel compares what is stored with it.
    { title: 'set of a loaded session, 1 KB', adapters: PEERS, parameters: { ...parameters, op: 'save' } },
    { title: 'touch', adapters: PEERS, parameters: { ...parameters, op: 'touch' } },
    {
      title: 'a request that reads its session',
      adapters: [...PEERS, 'nothing'],
      parameters: { ...parameters, op: 'request' },
    },
  ],
});
