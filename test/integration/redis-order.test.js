'use strict';
// Answers and commands stay together: by tickets between the native side and JavaScript, by the heartbeat's nonce between
// the client and the server. Where they do not, the connection ends, and what waits is rejected.
const { createRedis } = require('../../lib');
const { linkOf } = require('../../lib/redis/link');
const { RedisServer } = require('../helpers/redis-server');
const { rejection } = require('../helpers/until');

let server;
let redis;
beforeAll(async () => {
  server = await RedisServer.start();
});
beforeEach(async () => {
  redis = createRedis({ url: server.url });
  await redis.mset('a', 'A', 'b', 'B', 'c', 'C');
});
afterEach(() => redis.destroy());
afterAll(() => server.stop());

describe('tickets', () => {
  const WRONG = { code: 'PROTOCOL_ERROR', message: expect.stringContaining('out of place') };
  const settled = async (promises) => (await Promise.allSettled(promises)).map((one) => one.value ?? one.reason);

  test('a promise whose command was never sent takes nobody’s answer', async () => {
    const first = redis.get('a');
    const outcome = await settled([first, linkOf(redis).reply('GHOST'), redis.get('b')]);
    expect(outcome.slice(0, 2)).toEqual([expect.objectContaining(WRONG), expect.objectContaining(WRONG)]);
    expect(['B', expect.objectContaining({ code: 'PROTOCOL_ERROR' })]).toContainEqual(outcome[2]);
    expect(await redis.get('c')).toBe('C');
  });

  test('they agree through timeouts, refusals, errors, transactions and losses', async () => {
    const client = createRedis({ url: server.url, commandTimeout: '100ms' });
    const rounds = Array.from({ length: 50 }, async (_, i) => {
      expect(await client.echo(`e${i}`)).toBe(`e${i}`);
      expect(await rejection(client.call('NOSUCH', i))).toMatchObject({ code: 'ERR' });
      expect(await rejection(client.set(`k${i}`, {}))).toBeInstanceOf(TypeError);
      expect(await client.multi().set(`k${i}`, i).get(`k${i}`).exec()).toEqual(['OK', String(i)]);
      expect(await client.pipeline().get(`k${i}`).incr('a').exec()).toEqual([String(i), expect.any(Error)]);
    });
    await Promise.all(rounds);
    server.pause();
    const late = [client.echo('late'), client.echo('later')].map(rejection);
    expect((await Promise.all(late)).map(({ code }) => code)).toEqual(['COMMAND_TIMEOUT', 'COMMAND_TIMEOUT']);
    server.resume();
    expect(await client.echo('now')).toBe('now');
    client.destroy();
  });
});
