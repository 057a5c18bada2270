'use strict';
// memoize(fn): which functions share results, and what the memoized one keeps of the function.
const { createCache } = require('../../lib');

let cache;
beforeEach(() => {
  cache = createCache({ redis: false });
});
afterEach(() => cache.close());

test('two functions of one name do not share results', async () => {
  const users = { load: async (id) => ({ type: 'user', id }) };
  const orders = { load: async (id) => ({ type: 'order', id }) };
  const [getUser, getOrder] = [cache.memoize(users.load), cache.memoize(orders.load)];
  expect([await getUser(7), await getOrder(7)]).toEqual([
    { type: 'user', id: 7 },
    { type: 'order', id: 7 },
  ]);
  expect(getUser.keyFor(7)).not.toBe(getOrder.keyFor(7));
});

test('the same function in another process has the same keys', async () => {
  const { runScript } = require('../helpers/run-script');
  const text = 'async function find(id) { return { id }; }';
  const script = `
    const cache = tiercel.createCache({ redis: false });
    console.log(cache.memoize(${text}).keyFor(1));
    await cache.close();`;
  const runs = await Promise.all([runScript(script), runScript(script)]);
  expect(runs[0].stdout).toMatch(/^find#[\w-]{8}:[\w-]{27}$/);
  expect(runs[1].stdout).toBe(runs[0].stdout);
});

test('a function that differs only in what it has taken from around it is refused', () => {
  const of = (tenant) => async function find(id) {
    return { tenant, id };
  }; // prettier-ignore
  const [a, b] = [of('A'), of('B')];
  cache.memoize(a);
  cache.memoize(a);
  expect(() => cache.memoize(b)).toThrow(/another function with the name and text of 'find'.*key of its own/);
  expect(() => cache.memoize(b, { key: 'find of B' })).not.toThrow();
  expect(() => cache.namespace('b').memoize(b)).not.toThrow();
});

test.each([['5m'], [60]])('a ttl in place of options, %j, is told where it goes', (ttl) => {
  const message = /^options: expected an object, got '?\w+'?: write memoize\(fn, { ttl: '5m' }\)$/;
  expect(() => cache.memoize(function find() {}, ttl)).toThrow(message);
});

test.each([
  ['a bound method', (class { find() {} }).prototype.find.bind({}), /'bound find' is bound or built in/], // prettier-ignore
  ['a function of the engine', Math.max, /'max' is bound or built in/],
  [
    'one without a name',
    (
      () => () =>
        1
    )(),
    /without a name/,
  ],
])('%s needs a key', async (_name, fn, message) => {
  expect(() => cache.memoize(fn)).toThrow(message);
  expect(() => cache.memoize(fn)).toThrow(TypeError);
  expect(() => cache.memoize(fn, { key: 'named' })).not.toThrow();
});

test.each([
  [{ ttl: '10 minutes' }, /^ttl: expected a number of seconds/],
  [{ ttl: 300_000 }, /^ttl: expected seconds, got 300000/],
  [{ tags: 'x' }, /^tags: expected an array of tags/],
  [{ timeout: -1 }, /^timeout: expected/],
  [{ cacheIf: 5 }, /^cacheIf: expected a function/],
  [{ refreshAhead: 'soon' }, /^refreshAhead: expected/],
  [{ signal: 5 }, /^signal: expected an AbortSignal/],
  [{ grace: '1h' }, /^options: there is no option 'grace'/],
  [null, /^options: expected an object with options, got null/],
])('options that are not valid, %j, are refused before the first call', (options, message) => {
  expect(() => cache.memoize(function find() {}, options)).toThrow(message);
  // The name is not taken by what was refused.
  expect(() => cache.memoize(function find() {})).not.toThrow();
});

test('name and length are kept', () => {
  const memoized = cache.memoize(async function find(a, b) {
    return [a, b];
  });
  expect([memoized.name, memoized.length]).toEqual(['find', 2]);
});

test('arguments count as they are given, not with their defaults; null is a result', async () => {
  const calls = [];
  const list = cache.memoize(async function list(user, limit = 20) {
    calls.push([user, limit]);
    return null;
  });
  for (const args of [[1], [1], [1, undefined], [1, 20], [1, 20]]) expect(await list(...args)).toBeNull();
  expect(calls).toHaveLength(3);
});
