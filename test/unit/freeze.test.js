'use strict';
// deepFreeze: everything that can be frozen is, in place, whatever the value looks like.

const { isDeepStrictEqual } = require('node:util');
const { deepFreeze } = require('../../lib/cache/freeze');
const { RandomValues } = require('../helpers/random-value');

/** The first object that is not frozen, of those that can be. */
function unfrozen(value, seen = new Set()) {
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return undefined;
  seen.add(value);
  if (!Object.isFrozen(value)) return value;
  const inner = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  for (const item of inner) {
    const found = unfrozen(item, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

test('freezes in place and gives the same value', () => {
  const value = { a: [{ b: { c: [1] } }], d: null };
  expect(deepFreeze(value)).toBe(value);
  expect(unfrozen(value)).toBeUndefined();
  expect(() => value.a[0].b.c.push(2)).toThrow(TypeError);
  expect(() => {
    value.a[0].b.c = 1;
  }).toThrow(TypeError);
});

test.each([[1], ['a'], [null], [undefined], [5n], [Symbol.iterator], [() => 1]])('%p is given back', (value) => {
  expect(deepFreeze(value)).toBe(value);
});

test('random values are frozen as a whole, and equal what they were', () => {
  const values = new RandomValues(4);
  const same = new RandomValues(4);
  for (let i = 0; i < 300; i++) {
    const value = deepFreeze(values.rich());
    if (unfrozen(value) !== undefined) throw new Error(`value ${i} of seed 4 is not frozen`);
    if (!isDeepStrictEqual(value, same.rich())) throw new Error(`value ${i} of seed 4 differs`);
  }
});

test('cycles end', () => {
  const value = { list: [] };
  value.list.push(value, value.list, { up: value });
  const map = new Map();
  map.set(map, { map });
  value.map = map;
  deepFreeze(value);
  expect(unfrozen(value)).toBeUndefined();
});

test('any depth, and a million elements', () => {
  let deep = {};
  const last = deep;
  for (let i = 0; i < 200_000; i++) deep = i % 2 ? [deep] : { deep };
  deepFreeze(deep);
  expect(Object.isFrozen(last)).toBe(true);
  expect(Object.isFrozen(deepFreeze(new Array(1_000_000).fill(1)))).toBe(true);
});

test('goes on below what somebody had frozen already', () => {
  const inner = { list: [1] };
  deepFreeze(Object.freeze({ a: Object.freeze([inner]) }));
  expect(Object.isFrozen(inner)).toBe(true);
  expect(Object.isFrozen(inner.list)).toBe(true);
});

test('what a Map and a Set hold is frozen; they themselves, dates and bytes can be written', () => {
  const value = {
    map: new Map([[{ key: 1 }, { value: 1 }]]),
    set: new Set([{ item: 1 }]),
    at: new Date(1),
    bytes: Buffer.from('abc'),
    floats: new Float64Array(3),
    view: new DataView(new ArrayBuffer(8)),
  };
  deepFreeze(value);
  expect([...value.map].flat().every(Object.isFrozen)).toBe(true);
  expect([...value.set].every(Object.isFrozen)).toBe(true);
  value.map.set('more', 1);
  value.at.setTime(2);
  value.bytes[0] = 0;
  value.floats[0] = 1;
  expect(value.at.getTime()).toBe(2);
});

test('objects of classes are frozen without calling their accessors', () => {
  let calls = 0;
  class Lazy {
    constructor() {
      this.inner = { a: 1 };
      Object.defineProperty(this, 'lazy', { enumerable: true, get: () => calls++ });
    }
  }
  const value = deepFreeze(new Lazy());
  expect(Object.isFrozen(value)).toBe(true);
  expect(Object.isFrozen(value.inner)).toBe(true);
  expect(calls).toBe(0);
});

test('again costs next to nothing', () => {
  const value = deepFreeze(Array.from({ length: 100_000 }, (_, i) => ({ i })));
  const began = performance.now();
  for (let i = 0; i < 10_000; i++) deepFreeze(value);
  expect(performance.now() - began).toBeLessThan(1000);
});
