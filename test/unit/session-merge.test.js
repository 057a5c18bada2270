'use strict';
// The three-way merge of sessions.

const { merge } = require('../../lib/session/express/merge');

const cookie = (more) => ({ originalMaxAge: 1000, expires: '2026-11-22T00:00:00.000Z', path: '/', ...more });

test.each([
  ['both add', {}, { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ['I delete', { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2 }],
  ['they delete', { a: 1, b: 1 }, { a: 1, b: 2 }, { b: 1 }, { b: 2 }],
  ['I delete what they change', { a: 1 }, {}, { a: 2 }, {}],
  ['I change what they delete', { a: 1 }, { a: 2 }, {}, { a: 2 }],
  ['both change: mine', { a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }],
  ['arrays are values', { a: [1] }, { a: [1, 2] }, { a: [1, 3] }, { a: [1, 2] }],
  ['objects too', { a: { x: 1, y: 1 } }, { a: { x: 2, y: 1 } }, { a: { x: 1, y: 2 } }, { a: { x: 2, y: 1 } }],
  ['the order of keys is no change', { a: { x: 1, y: 1 } }, { a: { y: 1, x: 1 } }, { a: 7 }, { a: 7 }],
  ['undefined is a value', { a: 1 }, { a: undefined }, { a: 1 }, { a: undefined }],
])('%s', (_, base, mine, theirs, expected) => {
  const result = merge(base, mine, theirs);
  expect(result).toEqual(expected);
  expect(Object.keys(result).sort()).toEqual(Object.keys(expected).sort());
});

test('a key called __proto__ is a key', () => {
  const result = merge({}, JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"constructor":1}'));
  expect(JSON.stringify(result)).toBe('{"constructor":1,"__proto__":{"x":1}}');
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  expect(merge(JSON.parse('{"__proto__":1}'), {}, JSON.parse('{"__proto__":1}'))).toEqual({});
});

describe('the cookie is taken whole', () => {
  const later = '2026-11-22T00:00:09.000Z';
  test.each([
    ['nobody changed it: the later end', cookie(), cookie({ expires: later }), cookie(), cookie({ expires: later })],
    ['the later end is theirs', cookie(), cookie(), cookie({ expires: later }), cookie({ expires: later })],
    [
      'I changed it',
      cookie(),
      cookie({ originalMaxAge: 5 }),
      cookie({ expires: later }),
      cookie({ originalMaxAge: 5 }),
    ],
    ['they changed it', cookie(), cookie({ expires: later }), cookie({ path: '/x' }), cookie({ path: '/x' })],
    [
      'a millisecond of maxAge is no change',
      cookie(),
      cookie({ originalMaxAge: 999 }),
      cookie({ path: '/x' }),
      cookie({ path: '/x' }),
    ],
    ['both', cookie(), cookie({ path: '/m' }), cookie({ path: '/t', domain: 't' }), cookie({ path: '/m' })],
    [
      'no end',
      cookie({ expires: null }),
      cookie({ expires: null }),
      cookie({ expires: null }),
      cookie({ expires: null }),
    ],
    ['none', undefined, undefined, undefined, undefined],
  ])('%s', (_, base, mine, theirs, expected) => {
    expect(merge({ cookie: base }, { cookie: mine }, { cookie: theirs }).cookie).toEqual(expected);
  });
});
