'use strict';
// What survives which codec: the table of docs/codecs.md, row by row.

const { PassThrough, Readable } = require('node:stream');
const vm = require('node:vm');
const { inspect, isDeepStrictEqual } = require('node:util');
const { isDate } = require('node:util').types;
const { createCodec } = require('../../lib/cache/codecs');

class Point {
  constructor(x) {
    this.x = x;
  }
}

class Money {
  #cents = 5;
  toJSON() {
    return { cents: this.#cents };
  }
}

const SAME = Symbol('same');
// isDeepStrictEqual has two invalid dates differ.
const equal = (a, b) => isDeepStrictEqual(a, b) || (isDate(a) && isDate(b) && isDeepStrictEqual(+a, +b));
const REFUSED = Symbol('refused');
const day = new Date('2024-02-29T12:34:56.789Z');
const own = (key, value) =>
  Object.defineProperty({}, key, { value, enumerable: true, writable: true, configurable: true });
const bare = (object) => Object.assign(Object.create(null), object);
const fn = () => 1;

// [what, value, after json, after msgpack]
const ROWS = [
  ['text', { a: 'naïve 🙂' }, SAME, SAME],
  ['half a surrogate pair', { a: 'x\ud83d' }, SAME, SAME],
  ['half a surrogate pair in a key', { '\udc00': 1 }, SAME, SAME],
  [
    'half a surrogate pair in the 40th shape',
    Array.from({ length: 40 }, (_, i) => (i < 39 ? { [`k${i}`]: 1 } : { '\udc00': 1 })),
    SAME,
    SAME,
  ],
  ['numbers', [0, 1.5, -7, 1e300, 2 ** 53 - 1], SAME, SAME],
  ['-0', [-0], [0], [0]],
  ['NaN, Infinity, nested', [NaN, Infinity, -Infinity], [null, null, null], SAME],
  ['NaN', NaN, REFUSED, SAME],
  ['null, true, false', [null, true, false], SAME, SAME],
  ['undefined in an object', { a: undefined, b: 1 }, { b: 1 }, SAME],
  ['undefined in an array', [undefined, 1], [null, 1], SAME],
  ['a hole in an array', [, 1], [null, 1], [undefined, 1]], // eslint-disable-line no-sparse-arrays
  ['BigInt', { a: 12345678901234567890n }, REFUSED, SAME],
  ['a valid Date, nested', { a: day }, { a: '2024-02-29T12:34:56.789Z' }, SAME],
  ['a Date before 1970', { a: new Date(-1) }, { a: '1969-12-31T23:59:59.999Z' }, SAME],
  ['a valid Date', day, '2024-02-29T12:34:56.789Z', SAME],
  ['an invalid Date', new Date(NaN), REFUSED, SAME],
  ['Map', new Map([['a', { b: [1] }], [2, 'c']]), REFUSED, SAME], // prettier-ignore
  ['Map, nested', { a: new Map([['a', 1]]) }, REFUSED, SAME],
  ['Set', new Set([1, 'a', null]), REFUSED, SAME],
  ['Set, nested', { a: new Set([1]) }, REFUSED, SAME],
  ['RegExp', { a: /a+/gi }, REFUSED, SAME],
  ['Error, nested', { a: new Error('no') }, REFUSED, SAME],
  ['Buffer, nested', { a: Buffer.from([1, 255]) }, { a: { type: 'Buffer', data: [1, 255] } }, SAME],
  ['Uint8Array, nested', { a: new Uint8Array([1, 255]) }, { a: { 0: 1, 1: 255 } }, SAME],
  ['Buffer', Buffer.from([1, 255]), SAME, SAME],
  ['Uint8Array', new Uint8Array([1, 255]), Buffer.from([1, 255]), Buffer.from([1, 255])],
  ['the instance of a class', { a: new Point(3) }, { a: { x: 3 } }, { a: { x: 3 } }],
  ['the instance of a class with toJSON', { a: new Money() }, { a: { cents: 5 } }, { a: { cents: 5 } }],
  ['an object with toJSON', { a: { toJSON: () => 7 } }, { a: 7 }, { a: 7 }],
  ['an object without a prototype', bare({ a: bare({ b: 1 }) }), { a: { b: 1 } }, { a: { b: 1 } }],
  ['an object of another realm', vm.runInNewContext('({ a: [1, { b: 2 }] })'), { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
  ['a Date of another realm', { a: vm.runInNewContext('new Date(0)') }, { a: new Date(0).toISOString() }, { a: new Date(0) }],
  ['a key __proto__', own('__proto__', { polluted: true }), SAME, SAME],
  ['a key __keys__', [{ a: 1, __keys__: 2 }, { a: 1 }], SAME, SAME],
  ['a key constructor', { constructor: 'Porsche', toJSON: 'no' }, SAME, SAME],
  ['keys of Object.prototype', { toString: 1, hasOwnProperty: 2, valueOf: null }, SAME, SAME],
  ['boxed primitives', [Object('a'), Object(1)], ['a', 1], ['a', 1]],
  ['a function', fn, REFUSED, REFUSED],
  ['a function, nested', { a: fn, b: 1 }, { b: 1 }, REFUSED],
  ['a symbol', Symbol('s'), REFUSED, REFUSED],
  ['a symbol, nested', { a: Symbol('s'), b: 1 }, { b: 1 }, REFUSED],
  ['a symbol as a key', { [Symbol('s')]: 1, b: 1 }, { b: 1 }, { b: 1 }],
  ['a Promise', Promise.resolve(1), REFUSED, REFUSED],
  ['a WeakMap', new WeakMap(), REFUSED, REFUSED],
  ['__proto__ beside a Date', Object.assign(own('__proto__', 1), { day }), { ...own('__proto__', 1), day: day.toJSON() }, REFUSED],
  ['many shapes', Array.from({ length: 100 }, (_, i) => ({ [`k${i}`]: { [`n${i}`]: i } })), SAME, SAME],
  ['many keys', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key ${i}`, i])), SAME, SAME],
  ['nothing in it', [{}, [], ''], SAME, SAME],
  ['boxed primitives beside nothing', [{}, Object(1), Object('')], [{}, 1, ''], [{}, 1, '']],
  ['a Response', new Response('x'), REFUSED, REFUSED],
  ['Headers, nested', { a: [{ b: new Headers() }] }, REFUSED, REFUSED],
  ['a Blob', new Blob(['x']), REFUSED, REFUSED],
  ['a stream', Readable.from(['x']), REFUSED, REFUSED],
  ['a stream, nested', { a: new PassThrough() }, REFUSED, REFUSED],
  ['an AbortSignal', { a: AbortSignal.abort() }, REFUSED, REFUSED],
  ['an instance without properties', { a: new (class Empty {})() }, REFUSED, REFUSED],
  ['a toJSON that gives nothing', { toJSON: () => undefined }, REFUSED, REFUSED],
]; // prettier-ignore

describe.each(['json', 'msgpack'])('%s', (name) => {
  const codec = createCodec(name);
  const there = (value) => {
    const { codec: number, payload } = codec.encode(value, 'value');
    return codec.decode(number, payload);
  };

  test.each(ROWS)('%s', (_what, value, afterJson, afterMsgpack) => {
    const expected = name === 'json' ? afterJson : afterMsgpack;
    if (expected === REFUSED) {
      expect(() => there(value)).toThrow(TypeError);
      expect(() => there(value)).toThrow(/^value: (JSON|MessagePack) cannot hold /);
      return;
    }
    const after = there(value);
    const wanted = expected === SAME ? value : expected;
    if (!equal(after, wanted)) throw new Error(`expected ${inspect(wanted)}, got ${inspect(after)}`);
    expect({}.polluted).toBeUndefined();
  });
});

test('what is refused is named, with its path', () => {
  const value = { user: { tags: ['a', { at: new Headers() }] }, other: {} };
  const refused = /^value: (JSON|MessagePack) cannot hold an instance of Headers at user\.tags\[1\]\.at$/;
  for (const name of ['json', 'msgpack']) expect(() => createCodec(name).encode(value, 'value')).toThrow(refused);
});

test('what is lost is found behind a toJSON() that gives itself, and below many levels', () => {
  const own = { toJSON: () => own, kept: { at: new Headers() } };
  expect(() => createCodec('json').encode({ own }, 'value')).toThrow('an instance of Headers at own.kept.at');
  let deep = { lost: {} };
  for (let i = 0; i < 6000; i++) deep = [deep];
  expect(() => createCodec('json').encode(deep, 'value')).not.toThrow(RangeError);
  const keys = [];
  createCodec('json').encode({ a: [{ toJSON: (key) => keys.push(key) }, {}] }, 'value');
  expect(new Set(keys)).toEqual(new Set(['0']));
});

test('an error of toJSON() is told as it is', () => {
  const value = { toJSON: () => new Date(NaN).toISOString() };
  expect(() => createCodec('json').encode(value, 'value')).toThrow('value: JSON cannot hold it: Invalid time value');
});

describe('msgpack', () => {
  const codec = createCodec('msgpack');
  const there = (value) => codec.decode(2, codec.encode(value, 'value').payload);

  test('an error keeps its name, message and cause', () => {
    const error = there({ e: new RangeError('too far', { cause: new Map([['by', 3n]]) }) }).e;
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far', cause: new Map([['by', 3n]]) });
    class OddError extends Error {
      name = 'OddError';
    }
    expect(there(new OddError('x'))).toMatchObject({ name: 'OddError', message: 'x' });
    expect(() => there(new AggregateError([], 'all'))).toThrow(
      /^value: MessagePack cannot hold an error named Aggregate/,
    );
  });

  test('an invalid Date survives in an object, where JSON makes it null', () => {
    expect(there({ a: new Date(NaN) }).a.getTime()).toBeNaN();
    const json = createCodec('json');
    expect(json.decode(1, json.encode({ a: new Date(NaN) }, 'value').payload)).toStrictEqual({ a: null });
  });

  test('the path of what is wrong is told', () => {
    expect(() => there({ a: [1, { b: fn }] })).toThrow('value: MessagePack cannot hold a function at a[1].b');
    expect(() => there(new Map([['k', Symbol('s')]]))).toThrow('value: MessagePack cannot hold a symbol at [0]');
    expect(() => there({ p: Promise.resolve() })).toThrow('a Promise at p; await it first');
  });
});
