'use strict';
// Whose memory it is: a cache without Redis has its own, unless memory.shared is asked for.
const { createCache } = require('../../lib');

const caches = [];
const open = (options) => {
  const cache = createCache({ redis: false, ...options });
  caches.push(cache);
  return cache;
};
afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())));

test('two caches without Redis have nothing in common, with the same namespace or another', async () => {
  const [a, b, c] = [open(), open(), open({ namespace: 'other' })];
  await a.set('1', { user: 1 });
  expect(await b.get('1')).toBeUndefined();
  expect(await c.get('1')).toBeUndefined();
  await b.set('1', { user: 2 });
  await b.clear();
  expect(await a.get('1')).toEqual({ user: 1 });
  expect(b.memory.stats().entries).toBe(0);
});

test('in another copy of the module, too', async () => {
  const a = open();
  await a.set('k', 1);
  let other;
  jest.isolateModules(() => {
    other = require('../../lib');
  });
  const b = other.createCache({ redis: false });
  expect(await b.get('k')).toBeUndefined();
  await b.close();
});

test('each may have a budget of its own', async () => {
  const [small, large] = [open({ memory: { maxBytes: '1mb' } }), open({ memory: { maxBytes: '8mb' } })];
  expect(small.memory.stats().maxBytes).toBe(1 << 20);
  expect(large.memory.stats().maxBytes).toBe(8 << 20);
});

test('namespaces belong to the memory of their cache', async () => {
  const [a, b] = [open(), open()];
  await a.namespace('n').set('k', 1);
  expect(await a.namespace('n').get('k')).toBe(1);
  expect(await b.namespace('n').get('k')).toBeUndefined();
  expect(a.memory.stats().entries).toBe(1);
  expect(b.memory.stats().entries).toBe(0);
  await a.clear();
  expect(await a.namespace('n').get('k')).toBeUndefined();
});

test('memory.shared: those that ask for it, by namespace and version', async () => {
  const shared = { memory: { shared: true }, namespace: 'own-memory-shared' };
  const [a, b, own, version] = [
    open(shared),
    open(shared),
    open({ namespace: 'own-memory-shared' }),
    open({ ...shared, version: 2 }),
  ];
  await a.set('k', 1);
  expect(await b.get('k')).toBe(1);
  expect(await own.get('k')).toBeUndefined();
  expect(await version.get('k')).toBeUndefined();
  expect(() => open({ ...shared, memory: { shared: true, maxBytes: '1mb' } })).toThrow(
    /^memory: .*open with other options \(67108864 bytes/,
  );
});

test('memory.shared: wrong values', () => {
  expect(() => open({ memory: { shared: 'yes' } })).toThrow(/^memory\.shared: expected true or false/);
  expect(() => createCache({ redis: 'redis://127.0.0.1:1', memory: { shared: false } })).toThrow(/^memory\.shared: /);
});

test('one entry takes at most a quarter of the budget, and 4 MB, by default', async () => {
  const [small, large] = [open({ memory: { maxBytes: '1mb' } }), open()];
  expect(await small.set('k', 'x'.repeat(200 << 10))).toBe(true);
  expect(await small.set('k', 'x'.repeat(300 << 10))).toBe(false);
  expect(await small.get('k')).toBeUndefined();
  expect(await large.set('k', 'x'.repeat(3 << 20))).toBe(true);
  expect(await large.set('l', 'x'.repeat(4 << 20))).toBe(false);
  expect(await large.getOrSet('l', () => 'x'.repeat(5 << 20))).toHaveLength(5 << 20);
  expect(large.memory.stats()).toMatchObject({ entries: 1, rejects: 2 });
  const raised = open({ memory: { maxEntryBytes: '16mb' } });
  expect(await raised.set('k', 'x'.repeat(10 << 20))).toBe(true);
});
