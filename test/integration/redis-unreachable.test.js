'use strict';
// A Redis that is never reached is told of: once, as a process warning, where nobody listens.

const { RedisServer, freePort } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');

let port;
beforeAll(async () => {
  port = await freePort();
});

const WARNING =
  /TIERCEL_REDIS_UNREACHABLE\] TiercelWarning: Redis cannot be reached: ([^\n]*127\.0\.0\.1:(\d+)[^\n]*)\. New/g;

/** The places and reasons of the warnings of a script, which has `url` and `failures(client, count)`. */
async function warningsOf(script, url = `redis://127.0.0.1:${port}`) {
  const result = await runScript(`
    const url = ${JSON.stringify(url)};
    const attempts = (client, count) =>
      new Promise((resolve) => client.on('reconnecting', ({ attempt }) => void (attempt >= count && resolve())));
    ${script}`);
  if (result.code !== 0) throw new Error(result.stderr);
  const warnings = [...result.stderr.matchAll(WARNING)].map(([, reason, at]) => [Number(at), reason]);
  return { warnings, stdout: result.stdout.split('\n'), stderr: result.stderr };
}

const REFUSED = () => [port, `cannot connect to 127.0.0.1:${port}: connection refused`];

describe('a client', () => {
  test('that nobody listens to warns once, however many attempts and clients there are', async () => {
    const { warnings } = await warningsOf(`
      const [a, b] = [tiercel.createRedis(url), tiercel.createRedis(url)];
      await Promise.all([attempts(a, 3), attempts(b, 3)]);
      a.destroy();
      b.destroy();`);
    expect(warnings).toEqual([REFUSED()]);
  });

  test('warns of each server by itself', async () => {
    const other = await freePort();
    const { warnings } = await warningsOf(`
      const [a, b] = [tiercel.createRedis(url), tiercel.createRedis({ url, port: ${other} })];
      await Promise.all([attempts(a, 1), attempts(b, 1)]);
      a.destroy();
      b.destroy();`);
    expect(warnings.map(([at]) => at).sort()).toEqual([port, other].sort());
  });

  test("with a listener for 'error' does not warn", async () => {
    const { warnings, stdout, stderr } = await warningsOf(`
      const client = tiercel.createRedis(url).on('error', (error) => console.log(error.code));
      await attempts(client, 1);
      client.destroy();`);
    expect({ warnings, stdout, stderr }).toEqual({ warnings: [], stdout: ['CONNECT_FAILED'], stderr: '' });
  });

  test('with a wrong password says so, without the password', async () => {
    const server = await RedisServer.start({ args: ['--requirepass', 'right'] });
    try {
      const { warnings, stderr } = await warningsOf(
        `const client = tiercel.createRedis({ url, password: 'hunter2' });
        await attempts(client, 1);
        client.destroy();`,
        server.url,
      );
      expect(warnings).toEqual([[server.port, expect.stringContaining('WRONGPASS')]]);
      expect(stderr).not.toContain('hunter2');
    } finally {
      await server.stop();
    }
  });

  test('that was connected does not warn when the server goes', async () => {
    const server = await RedisServer.start();
    try {
      const { warnings, stdout } = await warningsOf(
        `const client = tiercel.createRedis(url);
        await client.ready();
        client.call('SHUTDOWN', 'NOSAVE').catch(() => {});
        await attempts(client, 3);
        console.log(client.status);
        client.destroy();`,
        server.url,
      );
      expect({ warnings, stdout }).toEqual({ warnings: [], stdout: ['reconnecting'] });
    } finally {
      await server.stop();
    }
  });
});

describe('a cache', () => {
  const CALLS = `
    for (let i = 0; i < 3; i++) console.log(await cache.getOrSet('k', () => 'loaded ' + i));
    await cache.namespace('n').get('k');
    await cache.close();`;
  const LOADED = ['loaded 0', expect.any(String), expect.any(String)];

  test('that nobody listens to warns once', async () => {
    const { warnings, stdout } = await warningsOf(`const cache = tiercel.createCache({ redis: url }); ${CALLS}`);
    expect({ warnings, stdout }).toEqual({ warnings: [REFUSED()], stdout: LOADED });
  });

  test('on a client that nobody listens to, too', async () => {
    const { warnings } = await warningsOf(`
      const client = tiercel.createRedis(url);
      const cache = tiercel.createCache({ redis: client });
      ${CALLS}
      client.destroy();`);
    expect(warnings).toEqual([REFUSED()]);
  });

  test('with a logger tells that, with the reason, and does not warn', async () => {
    const { warnings, stdout, stderr } = await warningsOf(`
      const logger = { warn: (message) => console.log(message) };
      const cache = tiercel.createCache({ redis: url, logger });
      ${CALLS}`);
    expect(stdout[0]).toBe(`tiercel: Redis cannot be reached: ${REFUSED()[1]}`);
    expect(stdout.filter((line) => line.startsWith('tiercel: Redis cannot'))).toHaveLength(1);
    expect({ warnings, stderr }).toEqual({ warnings: [], stderr: '' });
  });

  test.each(['cache', "cache.namespace('n')"])(
    "with a listener for 'cache:error' of %s does not warn",
    async (whose) => {
      const { warnings, stdout } = await warningsOf(`
      const cache = tiercel.createCache({ redis: url });
      let heard = 0;
      ${whose}.on('cache:error', () => heard++);
      ${CALLS}
      console.log(heard > 0);`);
      expect({ warnings, stdout }).toEqual({ warnings: [], stdout: [...LOADED, 'true'] });
    },
  );
});
