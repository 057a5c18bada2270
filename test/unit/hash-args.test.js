'use strict';
// hashArgs: equal arguments give equal hashes, others do not (hazard K1: keys of memoized calls that collide).

const { randomUUID } = require('node:crypto');
const vm = require('node:vm');
const { hashArgs } = require('../../lib');

class Point {
  constructor(x) {
    this.x = x;
  }
}

class Money {
  #cents;
  constructor(cents) {
    this.#cents = cents;
  }
  toJSON() {
    return this.#cents;
  }
}

class Weight extends Money {}

describe('equal arguments', () => {
  test.each([
    ['the order of object keys', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['the order of insertion into a Map', new Map([[1, 2], [3, 4]]), new Map([[3, 4], [1, 2]])], // prettier-ignore
    ['the order of insertion into a Set', new Set(['a', 'b']), new Set(['b', 'a'])],
    ['the object that holds the same Date', new Date(5), new Date(5)],
    ['an object without a prototype', { a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    ['the realm of a plain object', { a: [1] }, vm.runInNewContext('({ a: [1] })')],
    ['the window into a larger buffer', Buffer.from('xabc').subarray(1), Buffer.from('abc')],
    ['the instance of a class with toJSON', new Money(5), new Money(5)],
    ['a hole and undefined', [undefined, 1], [, 1]], // eslint-disable-line no-sparse-arrays
    ['NaN', NaN, 0 / 0],
  ])('%s does not matter', (_name, left, right) => {
    expect(hashArgs([left])).toBe(hashArgs([right]));
  });

  test('an object that is there twice is no cycle', () => {
    const shared = { a: 1 };
    expect(hashArgs([shared, shared])).toBe(hashArgs([{ a: 1 }, { a: 1 }]));
  });
});

describe('different arguments', () => {
  // Each of them differs from each other.
  const values = [
    [],
    [undefined],
    [undefined, undefined],
    [null],
    [0],
    [-0],
    [1],
    ['1'],
    [1n],
    [true],
    ['true'],
    [false],
    [NaN],
    ['NaN'],
    [Infinity],
    [-Infinity],
    [''],
    ['u'],
    ['z'],
    ['n1'],
    ['a', 'b'],
    ['a,b'],
    ['a","b'],
    [['a', 'b']],
    [['a'], 'b'],
    [['a', ['b']]],
    [[]],
    [[[]]],
    [new Array(1)],
    [new Array(2)],
    [{}],
    [{ a: undefined }],
    [{ a: null }],
    [{ a: 1 }],
    [{ a: '1' }],
    [{ a: 1, b: 2 }],
    [{ 'a":n1,"b': 2 }],
    [{ a: { b: 1 } }],
    [{ 'a.b': 1 }],
    [{ 0: 'a' }],
    [new Map()],
    [new Map([['a', 1]])],
    [new Map([['a', '1']])],
    [new Map([[1, 'a']])],
    [new Map([[{ a: 1 }, 1]])],
    [new Map([['a', 1], ['b', 2]])], // prettier-ignore
    [new Map([['a', 2], ['b', 1]])], // prettier-ignore
    [new Set()],
    [new Set(['a'])],
    [new Set(['a', 'b'])],
    [new Set(['a,b'])],
    [new Set([['a', 'b']])],
    [new Date(0)],
    [new Date(1)],
    [new Date(NaN)],
    [new Date(0).toISOString()],
    [/a/],
    [/a/g],
    ['/a/'],
    [Buffer.from('a')],
    [new Uint8Array([97])],
    [new Int8Array([97])],
    [new Uint16Array([97])],
    ['YQ=='],
    [new Money(1)],
    [new Weight(1)],
    ['\ud800'],
    ['\ud801'],
    ['\ufffd'],
    ['\0'],
    ['\\u0000'],
    ['é'],
    ['e\u0301'],
  ];

  test('differ in their hashes', () => {
    const seen = new Map();
    values.forEach((args, index) => {
      const hash = hashArgs(args);
      if (seen.has(hash)) throw new Error(`values ${seen.get(hash)} and ${index} have one hash`);
      seen.set(hash, index);
    });
    expect(seen.size).toBe(values.length);
  });

  test('every string of two ASCII characters is told from the others, as one argument and as two', () => {
    const seen = new Set();
    for (let a = 32; a < 127; a++) {
      for (let b = 32; b < 127; b++) {
        const [one, two] = [String.fromCharCode(a), String.fromCharCode(b)];
        seen.add(hashArgs([one + two]));
        seen.add(hashArgs([one, two]));
      }
    }
    expect(seen.size).toBe(2 * 95 * 95);
  });

  test('100,000 random UUIDs do not collide', () => {
    const seen = new Set();
    for (let i = 0; i < 100_000; i++) seen.add(hashArgs([randomUUID()]));
    expect(seen.size).toBe(100_000);
  });
});

describe('what has no value', () => {
  const cycle = { inner: {} };
  cycle.inner.up = cycle;
  const list = [];
  list.push(list);
  const map = new Map();
  map.set('self', map);

  test.each([
    ['a cycle of objects', cycle, /cycle/],
    ['a cycle of arrays', list, /cycle/],
    ['a Map that holds itself', map, /cycle/],
    ['an instance of a class', new Point(1), /an instance of Point/],
    ['a nested instance', { deep: [new Point(1)] }, /an instance of Point/],
    ['an Error', new Error('x'), /an instance of Error/],
    ['a WeakMap', new WeakMap(), /an instance of WeakMap/],
    ['a Promise', Promise.resolve(), /an instance of Promise/],
    ['a boxed number', Object(1), /an instance of Number/],
    ['an ArrayBuffer', new ArrayBuffer(1), /an instance of ArrayBuffer/],
    ['a function', () => 1, /a function/],
    ['a symbol', Symbol('s'), /a symbol/],
  ])('%s is refused, with the way out', (_name, value, message) => {
    expect(() => hashArgs([value])).toThrow(TypeError);
    expect(() => hashArgs([value])).toThrow(message);
    expect(() => hashArgs([value])).toThrow('give `key` a function');
  });

  test.each([[undefined], ['ab'], [{ length: 0 }], [null]])('arguments must be an array: %p', (args) => {
    expect(() => hashArgs(args)).toThrow(TypeError);
    expect(() => hashArgs(args)).toThrow('hashArgs: expected an array');
  });

  test('a refused value leaves nothing behind', () => {
    expect(() => hashArgs([cycle])).toThrow();
    cycle.inner.up = 1;
    expect(hashArgs([cycle])).toBe(hashArgs([{ inner: { up: 1 } }]));
  });
});

test('a hash is short and safe in a key', () => {
  expect(hashArgs([1, 'a'])).toMatch(/^[\w-]{27}$/);
});
