'use strict';
// memory: true. Reads that ask nobody, and are right all the same.

const { createRedis } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { closeStores, openStore, sessionOf } = require('../helpers/session-stores');
const { timed } = require('../helpers/timed');
const { delay, until } = require('../helpers/until');

let server;
let redis;
beforeEach(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
afterEach(async () => {
  await closeStores();
  await redis.close();
  await server.stop();
});

const gets = async () => Number((await redis.info('commandstats')).commandstats.cmdstat_get?.calls ?? 0);
/** Reads until nothing is asked any more. */
const warm = async (store, id) => {
  await until('it is in memory', async () => {
    await store.get(id);
    const before = await gets();
    await store.get(id);
    return (await gets()) === before;
  });
};

test('the second read asks nobody, and gives an object of its own', async () => {
  const store = openStore({ redis: server.url, memory: true });
  await store.set('a', sessionOf(60_000, { list: [1] }));
  await warm(store, 'a');
  const before = await gets();
  (await store.get('a')).list.push(2);
  for (let i = 0; i < 100; i++) expect((await store.get('a')).list).toEqual([1]);
  expect(await gets()).toBe(before);
});

test.each([
  ['destroyed', (other) => other.destroy('a'), null],
  ['changed', async (other) => other.set('a', { ...(await other.get('a')), n: 2 }), 2],
  ['touched', (other) => other.touch('a', sessionOf(1)), null],
  ['cleared', (other) => other.clear(), null],
])('what another process has %s is not served any more', async (_, work, expected) => {
  const store = openStore({ redis: server.url, memory: true });
  const other = openStore({ redis: server.url });
  for (let round = 0; round < 20; round++) {
    await store.set('a', sessionOf(60_000, { n: 1 }));
    await warm(store, 'a');
    await work(other);
    const began = performance.now();
    await until('the push', async () => ((await store.get('a'))?.n ?? null) === expected);
    expect(performance.now() - began).toBeLessThan(500 * PATIENCE);
  }
});

test('what this process has changed is not served any more, from the call on', async () => {
  const store = openStore({ redis: server.url, memory: true });
  for (let round = 0; round < 200; round++) {
    await store.set('a', sessionOf(60_000, { n: round }));
    const early = store.get('a');
    const done = store.destroy('a');
    const late = store.get('a');
    expect((await early)?.n).toBe(round);
    await done;
    expect(await late).toBeNull();
    expect(await store.get('a')).toBeNull();
  }
});

test('FLUSHALL, and a connection that is lost, leave nothing behind', async () => {
  const proxy = await FaultProxy.start(server.port);
  const store = openStore({ redis: proxy.url, memory: true });
  await store.set('a', sessionOf(60_000));
  await warm(store, 'a');
  await redis.flushall();
  await until('the push', async () => (await store.get('a')) === null);
  await store.set('a', sessionOf(60_000));
  await warm(store, 'a');
  proxy.reset();
  await redis.unlink('session:a');
  await until('the loss is noticed', async () => (await store.get('a').catch(() => 0)) === null);
  await store.close();
  await proxy.close();
});

timed('an end that comes meanwhile ends it in memory too', async () => {
  const store = openStore({ redis: server.url, memory: true });
  await store.set('a', sessionOf(300));
  await store.set('b', sessionOf(null));
  await warm(store, 'a');
  await delay(320);
  expect(await store.get('a')).toBeNull();
  await warm(store, 'b');
  await redis.pexpire('session:b', 1);
  await until('Redis removes it', async () => (await store.get('b')) === null);
});
