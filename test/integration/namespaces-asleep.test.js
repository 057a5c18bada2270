'use strict';
// Namespaces that nobody uses give up their parts when there are many, and nobody can tell: values, statistics, listeners,
// loads under way and pending invalidations are what they were.
const { createCache } = require('../../lib');
const { AwakeNamespaces } = require('../../lib/cache/awake-namespaces');
const { Store } = require('../../lib/store/store');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { rejection, until } = require('../helpers/until');

const MANY = 1300; // more than may be awake, and each is asked twice

let server;
let cache;
let givenUp;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());
beforeEach(() => {
  givenUp = jest.spyOn(Store.prototype, 'giveUp');
});
afterEach(async () => {
  givenUp.mockRestore();
  await cache.close();
});

async function open(redis) {
  cache = createCache({ redis: redis && server.url, namespace: ownNamespace(), commandTimeout: '5s' });
  if (redis) await until('a connection', async () => (await cache.health()).status === 'ok');
}

/** Uses others, twice each, until the namespace in question would have fallen asleep. */
async function useOthers(prefix) {
  for (let i = 0; i < MANY; i++) {
    const other = cache.namespace(`${prefix}${i}`);
    await other.set('k', i);
    expect(await other.get('k')).toBe(i);
  }
}
const hasSlept = (store) => givenUp.mock.contexts.some(({ path }) => path === store);

describe.each([
  ['with Redis', true],
  ['without Redis', false],
])('%s', (_name, redis) => {
  beforeEach(() => open(redis));

  test('values, statistics and listeners are there when it is used again', async () => {
    const one = cache.namespace('one');
    const heard = [];
    one.on('cache:hit', ({ key }) => heard.push(key));
    await one.set('k', { v: 1 }, { tags: ['t'] });
    expect(await one.get('k')).toEqual({ v: 1 });
    await useOthers('other');
    expect(hasSlept('one')).toBe(true);
    expect(one.stats()).toMatchObject({ sets: 1, hits: 1 });
    expect(one.memory.stats().entries).toBeGreaterThan(0);
    expect(cache.namespace('one')).toBe(one);
    expect(await one.get('k')).toEqual({ v: 1 });
    expect(one.stats()).toMatchObject({ sets: 1, hits: 2 });
    expect(heard).toEqual(['k', 'k']);
  });

  test('tags, clear() and patterns reach it while it sleeps', async () => {
    const names = ['a', 'b', 'c'];
    const [a, b, c] = names.map((name) => cache.namespace(name));
    for (const one of [a, b, c]) await one.set('k', 'old', { tags: [`t${one.name}`] });
    await useOthers('more');
    expect(names.every(hasSlept)).toBe(true);
    await cache.invalidateTag(`t${a.name}`);
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, 'old']);
    await b.clear();
    expect([await b.get('k'), await c.get('k')]).toEqual([undefined, 'old']);
    await cache.clear();
    expect(await c.get('k')).toBeUndefined();
  });

  test('a load under way keeps it awake, and is stored', async () => {
    const one = cache.namespace('loading');
    let finish;
    const loading = one.getOrSet('k', () => new Promise((resolve) => (finish = resolve)));
    await until('the loader', () => finish !== undefined);
    await useOthers('beside');
    expect(hasSlept('loading')).toBe(false);
    finish('loaded');
    expect(await loading).toBe('loaded');
    expect(await one.get('k')).toBe('loaded');
  });

  test('an error that is remembered keeps it awake until its time is over', async () => {
    const one = cache.namespace('failing');
    const thrown = new Error('database');
    const load = () => {
      throw thrown;
    };
    expect(await rejection(one.getOrSet('k', load, { errorBackoff: '1h' }))).toBe(thrown);
    await useOthers('next');
    expect(hasSlept('failing')).toBe(false);
    expect(await rejection(one.getOrSet('k', () => 'value', { errorBackoff: '1h' }))).toBe(thrown);
    await one.set('k', 'value');
    expect(await one.getOrSet('k', load)).toBe('value');
  });

  test('a namespace in a namespace, and what is closed', async () => {
    const inner = cache.namespace('outer').namespace('inner');
    await inner.set('k', 1);
    await useOthers('else');
    await useOthers('again');
    expect([hasSlept('outer.inner'), hasSlept('outer')]).toEqual([true, true]);
    expect(await inner.get('k')).toBe(1);
    await useOthers('and');
    await useOthers('still');
    await cache.close();
    expect(await rejection(inner.get('k'))).toMatchObject({ code: 'CACHE_CLOSED' });
    expect(inner.stats()).toMatchObject({ sets: 1 });
  });
});

test('an invalidation that Redis did not acknowledge keeps it awake, and is carried out', async () => {
  const own = await RedisServer.start();
  cache = createCache({ redis: own.url, namespace: ownNamespace(), commandTimeout: '200ms' });
  await until('a connection', async () => (await cache.health()).status === 'ok');
  const one = cache.namespace('pending');
  await one.set('k', 'old');
  own.pause();
  expect(await rejection(one.delete('k'))).toMatchObject({ code: 'CACHE_UNAVAILABLE' });
  for (let i = 0; i < MANY; i++) cache.namespace(`x${i}`).peek('k');
  for (let i = 0; i < MANY; i++) cache.namespace(`y${i}`).peek('k');
  expect(hasSlept('pending')).toBe(false);
  expect(one.stats().pendingInvalidations).toBe(1);
  own.resume();
  await until('it is carried out', () => one.stats().pendingInvalidations === 0);
  expect(await one.get('k')).toBeUndefined();
  await cache.close();
  await own.stop();
});

test('who was used since it was asked stays; the number is bounded whoever stays', () => {
  cache = createCache({ redis: false });
  const awake = new AwakeNamespaces();
  const asked = [];
  const sleeper = (name, sleeps) => ({ sleep: () => (asked.push(name), sleeps) });
  for (let i = 0; i < 1000; i++) awake.add(sleeper(i, i % 2 === 0));
  expect(asked).toEqual([]);
  for (let i = 1000; i < 3000; i++) awake.add(sleeper(i, true));
  expect(asked.slice(0, 2)).toEqual([0, 1]);
  expect(awake.size).toBeLessThanOrEqual(1001);
});
