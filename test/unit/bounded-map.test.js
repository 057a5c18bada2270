'use strict';
// BoundedMap: what was used last stays, what nobody asks for goes, and it never holds more than it may.
const { BoundedMap } = require('../../lib/util/bounded-map');

const held = (map, keys) => keys.filter((key) => map.get(key) !== undefined).length;

test('it holds no more than it may, and the last half for certain', () => {
  const map = new BoundedMap(10);
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  for (const key of keys) map.set(key, key);
  for (const key of keys.slice(-5)) expect(map.get(key)).toBe(key);
  expect(held(map, keys)).toBeLessThanOrEqual(10);
});

test('what is asked for again and again stays', () => {
  const map = new BoundedMap(10);
  map.set('hot', 1);
  for (let i = 0; i < 100; i++) {
    map.set(`k${i}`, i);
    expect(map.get('hot')).toBe(1);
  }
});

test('setting a key again takes no room', () => {
  const map = new BoundedMap(4);
  map.set('a', 1);
  for (let i = 0; i < 100; i++) map.set('b', i);
  expect([map.get('a'), map.get('b')]).toEqual([1, 99]);
});

test('delete and clear reach both generations', () => {
  const map = new BoundedMap(4);
  for (const key of ['a', 'b', 'c']) map.set(key, 1);
  map.delete('a');
  expect([map.get('a'), map.isEmpty]).toEqual([undefined, false]);
  map.clear();
  expect([map.get('b'), map.get('c'), map.isEmpty]).toEqual([undefined, undefined, true]);
});
