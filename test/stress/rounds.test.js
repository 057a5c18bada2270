'use strict';
// A thousand rounds of opening and closing namespaces, caches and clients at random moments under load, in the release
// build: no crash, no leak, no call that is not settled. The same rounds run under sanitizers (npm run test:stress).
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { RedisServer } = require('../helpers/redis-server');

const ROUNDS = String(process.env.TIERCEL_TEST_ROUNDS ?? 1000);
const SCRIPT = path.join(__dirname, '../sanitize/rounds.js');

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

test('what is closed at any moment ends well, and leaves nothing', () => {
  const seed = String(1 + (Date.now() % 1_000_000));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', SCRIPT, ROUNDS, seed], {
    env: { ...process.env, TIERCEL_TEST_REDIS_URL: server.url },
    encoding: 'utf8',
    timeout: 480_000,
  });
  process.stdout.write(stdout);
  expect({ seed, status, signal, stderr }).toEqual({ seed, status: 0, signal: null, stderr: '' });
  expect(stdout).toContain('nothing left');
}, 500_000);
