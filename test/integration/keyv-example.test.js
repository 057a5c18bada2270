'use strict';
// examples/cache-manager.js runs, in a process of its own, and ends by itself.

const { execFile } = require('node:child_process');
const path = require('node:path');
const { RedisServer } = require('../helpers/redis-server');

const FILE = path.join(__dirname, '..', '..', 'examples', 'cache-manager.js');
const env = { ...process.env };
delete env.REDIS_URL;

const run = (...args) =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [FILE, ...args], { timeout: 10_000, env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, lines: stdout.trim().split('\n'), stderr }),
    );
  });

const EXPECTED = {
  code: 0,
  stderr: '',
  lines: [
    'first:  {"id":7,"name":"Product 7","price":700}, 1 queries',
    'second: {"id":7,"name":"Product 7","price":700}, 1 queries',
    'many:   Eight, Nine',
    'third:  {"id":7,"name":"Product 7","price":700}, 2 queries',
    'empty:  true',
  ],
};

test('with memory alone', async () => {
  expect(await run()).toEqual(EXPECTED);
});

test('with Redis', async () => {
  const server = await RedisServer.start();
  try {
    expect(await run(server.url)).toEqual(EXPECTED);
  } finally {
    await server.stop();
  }
});
