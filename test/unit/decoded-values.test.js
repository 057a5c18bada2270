'use strict';
// The room for decoded values: bounded by what the memory tier grants, CLOCK order, given back when values go.
const { DecodedValues } = require('../../lib/store/decoded-values');
const { heapSizeOf } = require('../../lib/store/heap-size');

const MIB = 2 ** 20;

/** A tier that grants so much, and a holder that remembers who has left. */
function room(limit, grants = limit) {
  const tier = { reserved: 0 };
  const left = [];
  const holder = { dropped: ({ key }) => left.push(key) };
  const values = new DecodedValues(limit, (more) => {
    if (tier.reserved + more > grants) return false;
    tier.reserved += more;
    return true;
  });
  let fill = 0;
  const decoded = (key, size) => ({ key, fill: ++fill, token: fill, size, used: false, holder });
  return { tier, left, values, decoded };
}

test('what is kept was granted, and its bookkeeping counts', () => {
  const { tier, values, decoded } = room(4 * MIB);
  for (let i = 0; i < 1000; i++) expect(values.add(decoded(`key:${i}`, 1000))).toBe(true);
  expect(values.bytes).toBeGreaterThan(1000 * 1200);
  expect(tier.reserved).toBeGreaterThanOrEqual(values.bytes);
  expect(tier.reserved).toBeLessThan(values.bytes + MIB / 8);
});

test('never more than the limit, nor than is granted', () => {
  for (const [limit, grants] of [
    [MIB, MIB],
    [4 * MIB, MIB],
  ]) {
    const { tier, left, values, decoded } = room(limit, grants);
    let kept = 0;
    for (let i = 0; i < 20_000; i++) if (values.add(decoded(`key:${i}`, 500))) kept++;
    expect(values.bytes).toBeLessThanOrEqual(MIB);
    expect(tier.reserved).toBeLessThanOrEqual(MIB);
    expect(values.bytes).toBeGreaterThan(0.8 * MIB);
    // A working set that does not fit is not replaced all the time.
    expect(kept).toBeLessThan(20_000 / 2);
    expect(left.length).toBeGreaterThan(0);
  }
});

test('one that is too large is not kept', () => {
  const { tier, values, decoded } = room(MIB);
  expect(values.add(decoded('large', MIB / 4))).toBe(false);
  expect(tier.reserved).toBe(0);
});

test('what was used meanwhile stays, what was not leaves in its order', () => {
  const { left, values, decoded } = room(MIB);
  const first = Array.from({ length: 100 }, (_, i) => decoded(`first:${i}`, 5000));
  for (const one of first) values.add(one);
  for (const one of first.slice(0, 10)) one.used = true;
  for (let i = 0; i < 600; i++) values.add(decoded(`later:${i}`, 5000));
  const used = new Set(first.slice(0, 10).map(({ key }) => key));
  const before = left.slice(0, 90);
  expect(before).toEqual(first.slice(10).map(({ key }) => key));
  expect(before.some((key) => used.has(key))).toBe(false);
});

test('what goes is given back, all of it at the end', () => {
  const { tier, values, decoded } = room(4 * MIB);
  const kept = Array.from({ length: 2000 }, (_, i) => decoded(`key:${i}`, 1000));
  for (const one of kept) values.add(one);
  for (const one of kept.slice(0, 1900)) values.delete(one);
  expect(tier.reserved).toBeLessThan(MIB);
  for (const one of kept.slice(1900)) values.delete(one);
  expect([values.bytes, tier.reserved]).toEqual([0, 0]);
  values.delete(kept[0]);
  expect(values.bytes).toBe(0);
});

test('a sweep drops those whose entries are gone, a few at a time', () => {
  const { left, tier, values, decoded } = room(4 * MIB);
  for (let i = 0; i < 1000; i++) values.add(decoded(`key:${i}`, 100));
  const isThere = (token) => token % 2 === 0;
  expect(values.sweep(isThere, 100)).toBe(50);
  expect(left).toHaveLength(50);
  for (let i = 0; i < 20; i++) values.sweep(isThere, 100);
  expect(left).toHaveLength(500);
  for (let i = 0; i < 20; i++) values.sweep(() => false, 100);
  expect([values.bytes, tier.reserved, left.length]).toEqual([0, 0, 1000]);
});

describe('the estimate of a value', () => {
  test('calls no accessor of a class', () => {
    class Moody {
      constructor() {
        this.text = 'x'.repeat(1000);
        const get = () => {
          throw new Error('called');
        };
        Object.defineProperty(this, 'mood', { get, enumerable: true });
      }
    }
    expect(heapSizeOf({ moody: new Moody() })).toBeGreaterThan(1000);
  });

  test('ends for what holds itself', () => {
    const cycle = { text: 'x'.repeat(100) };
    cycle.self = cycle;
    expect(heapSizeOf(cycle)).toBeGreaterThan(100);
  });

  test.each([
    ['a text', 'x'.repeat(1000), 1000, 1100],
    ['numbers', [1, 2, 3, 4], 48, 120],
    ['an object', { a: 1, b: 'a longer text', c: null }, 60, 150],
    ['bytes', Buffer.alloc(5000), 5000, 5300],
    ['a Map', new Map([['key', { a: 1 }]]), 60, 200],
    ['a Set', new Set(['one', 'two']), 80, 250],
    ['nothing', null, 0, 0],
    ['100,000 rows', Array.from({ length: 100_000 }, (_, id) => ({ id })), 3_000_000, 8_000_000],
  ])('%s', (_, value, least, most) => {
    expect(heapSizeOf(value)).toBeGreaterThanOrEqual(least);
    expect(heapSizeOf(value)).toBeLessThanOrEqual(most);
  });
});
