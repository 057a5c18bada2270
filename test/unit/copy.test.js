'use strict';
// planCopy and copyOf: a copy equals its template, shares nothing with it that could be changed, or is not made at all.

const { isDeepStrictEqual } = require('node:util');
const { planCopy, copyOf } = require('../../lib/cache/copy');
const { deepFreeze } = require('../../lib/cache/freeze');
const { RandomValues } = require('../helpers/random-value');

const own = (key, value) =>
  Object.defineProperty({}, key, { value, enumerable: true, writable: true, configurable: true });
const bare = (object) => Object.assign(Object.create(null), object);

/** Objects that both hold: there must be none. */
function sharedObjects(left, right) {
  const all = (value, found = new Set()) => {
    if (typeof value !== 'object' || value === null || found.has(value)) return found;
    found.add(value);
    if (value instanceof Map) for (const pair of value) pair.forEach((item) => all(item, found));
    if (value instanceof Set) for (const item of value) all(item, found);
    if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) all(item, found);
    return found;
  };
  const of = all(left);
  return [...all(right)].filter((object) => of.has(object));
}

function copied(value, custom) {
  const plan = planCopy(value, custom);
  expect(plan).toBeDefined();
  return copyOf(plan);
}

const VALUES = [
  ['a string', 'text'],
  ['null', null],
  ['undefined', undefined],
  ['-0', -0],
  ['NaN', NaN],
  ['a BigInt', 5n],
  ['an empty object', {}],
  ['an empty array', []],
  ['a flat object', { a: 1, b: 'x', c: null, d: undefined, e: -0 }],
  ['an array of primitives', [1, 'a', null, undefined, 2.5]],
  ['rows', [{ id: 1 }, { id: 2 }, { id: 3 }]],
  ['rows of different shapes', [{ id: 1 }, { name: 'b' }, {}]],
  ['rows with nested values', [{ id: 1, tags: ['a'] }, { id: 2, tags: [] }]],
  ['rows of which one has more', [{ id: 1, tags: ['a'] }, { id: 2, tags: null }, null, [7]]],
  ['arrays in arrays', [[[1], [2]], [], [[3]]]],
  ['nested objects', { a: { b: { c: [{ d: [1] }] } }, e: 1 }],
  ['keys that are indexes', { 10: ['a'], 2: ['b'], z: 1, 1: {} }],
  ['an own key __proto__', own('__proto__', { a: [1] })],
  ['a row with an own key __proto__', [own('__proto__', 1), own('__proto__', null)]],
  ['names of Object.prototype', { constructor: [1], hasOwnProperty: { a: 1 }, toString: 'x', valueOf: null }],
  ['an object without a prototype', bare({ a: 1, b: bare({ c: [1] }) })],
  ['dates', { at: new Date(5), all: [new Date(1), new Date(2)] }],
  ['a Map', new Map([['a', { b: 1 }], [{ key: 1 }, [1]], [2, 3]])],
  ['a Set', new Set([1, { a: 1 }, [2]])],
  ['buffers', { a: Buffer.from('abc'), b: new Uint8Array([1, 2]) }],
  ['a RegExp', { a: /x+/giu }],
  ['a sparse array', [, 1, , [2], ,]], // eslint-disable-line no-sparse-arrays
  ['a sparse array of primitives', [, 1, , ,]], // eslint-disable-line no-sparse-arrays
  ['thousands of keys', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i % 3 ? i : [i]]))],
  ['many rows', Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `row ${i}` }))],
  ['many rows, each its own', Array.from({ length: 5000 }, (_, i) => ({ [`k${i}`]: [i] }))],
  ['many numbers', Array.from({ length: 200_000 }, (_, i) => i / 2)],
]; // prettier-ignore

describe('a copy', () => {
  test.each(VALUES)('of %s', (_name, value) => {
    for (const custom of [false, true]) {
      const copy = copied(value, custom);
      expect(isDeepStrictEqual(copy, value)).toBe(true);
      expect(sharedObjects(value, copy)).toEqual([]);
      if (value && typeof value === 'object') {
        expect(Object.keys(copy)).toEqual(Object.keys(value));
        expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value));
      }
    }
  });

  test('of bytes has memory of its own', () => {
    const value = { a: Buffer.from('abc'), b: new Uint8Array([1, 2]) };
    const copy = copied(value);
    copy.a.fill(0);
    copy.b.fill(0);
    expect(String(value.a)).toBe('abc');
    expect([...value.b]).toEqual([1, 2]);
  });

  test('can be changed in any way without a trace in the next one', () => {
    const plan = planCopy(JSON.parse('{"rows":[{"id":1,"tags":["a"]},{"id":2,"tags":["b"]}],"__proto__":{"x":[1]}}'));
    const text = JSON.stringify(plan.source);
    const spoil = (value) => {
      for (const key of Object.keys(value)) {
        if (typeof value[key] === 'object') spoil(value[key]);
        delete value[key];
      }
      value.spoiled = true;
    };
    for (let i = 0; i < 100; i++) {
      const copy = copyOf(plan);
      expect(JSON.stringify(copy)).toBe(text);
      spoil(copy);
      expect({}.x).toBeUndefined();
    }
  });

  test('of a frozen template is not frozen', () => {
    const copy = copied(deepFreeze({ rows: [{ id: 1 }], tags: ['a'], at: { x: [1] } }));
    copy.rows[0].id = 2;
    copy.rows.push(1);
    copy.tags[0] = 'b';
    copy.at.x.push(2);
    expect(copy).toEqual({ rows: [{ id: 2 }, 1], tags: ['b'], at: { x: [1, 2] } });
  });

  test('of random values equals them, shares nothing, and the template stays as it was', () => {
    for (const kind of ['json', 'rich']) {
      const values = new RandomValues(3);
      for (let i = 0; i < 400; i++) {
        const value = values[kind]();
        const plan = planCopy(value);
        if (plan === undefined) throw new Error(`${kind} ${i} of seed 3 has no plan`);
        for (let round = 0; round < 2; round++) {
          const copy = copyOf(plan);
          if (!isDeepStrictEqual(copy, value) || sharedObjects(value, copy).length > 0) {
            throw new Error(`${kind} ${i} of seed 3`);
          }
        }
      }
    }
  });
});

describe('no plan for', () => {
  class Point {
    x = 1;
  }
  const cycle = { a: [] };
  cycle.a.push(cycle);
  const shared = { a: 1 };
  const nested = (depth, make) => {
    let value = 1;
    for (let i = 0; i < depth; i++) value = make(value);
    return value;
  };
  const extra = (object) => Object.assign(object, { extra: 1 });

  test.each([
    ['the instance of a class', { a: new Point() }],
    ['an array of a subclass', [new (class extends Array {})()]],
    ['a Map of a subclass', new (class extends Map {})()],
    ['a Buffer of a subclass', new (class extends Uint8Array {})(2)],
    ['an Error', { a: new Error('x') }],
    ['a function', { a: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a Promise', Promise.resolve()],
    ['a cycle', cycle],
    ['one object in two places', [shared, shared]],
    ['10,000 levels of objects', nested(10_000, (a) => ({ a }))],
    ['10,000 levels of arrays', nested(10_000, (a) => [a])],
    ['10,000 levels of Maps', nested(10_000, (a) => new Map([[1, a]]))],
    ['a Date with a property', extra(new Date())],
    ['a Map with a property', extra(new Map())],
    ['a RegExp in use', Object.assign(/a/g, { lastIndex: 1 })],
    ['what only looks like a Date', Object.create(Date.prototype)],
    ['an instance in a Map', new Map([[1, new Point()]])],
    ['an instance in a Set', new Set([new Point()])],
  ])('%s', (_name, value) => {
    expect(planCopy(value)).toBeUndefined();
    expect(planCopy(value, true)).toBeUndefined();
  });

  test.each([
    ['an accessor', { get a() { return 1; } }],
    ['a property that is not enumerable', Object.defineProperty({}, 'a', { value: 1 })],
    ['a symbol as a key', { [Symbol('s')]: 1 }],
    ['an array with a property', extra([1])],
  ])('%s, when somebody else made the value', (_name, value) => {
    expect(planCopy({ value }, true)).toBeUndefined();
  }); // prettier-ignore

  test('a cycle through objects that are wide takes no time', () => {
    const wide = Array.from({ length: 1000 }, () => ({}));
    wide.forEach((object) => (object.all = wide));
    const began = performance.now();
    expect(planCopy(wide)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

test('rows of one layout share it: a plan is small', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({ id: i, tags: ['a'], more: { deep: [{ x: i }] } }));
  const plan = planCopy({ rows });
  expect(JSON.stringify(plan.layout).length).toBeLessThan(1000);
});
