'use strict';
// Patterns of keys: what they match, how long that takes, and that escaped text stands for itself.
const { createCache, escapePattern } = require('../../lib');
const { globMatcher } = require('../../lib/keys/glob');

const GLOBS = [
  ['user:*', 'user:1', true],
  ['user:*', 'user', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-b-b-', false],
  ['a?c', 'abc', true],
  ['a??c', 'aäc', true], // bytes, as in Redis
  ['a?c', 'aäc', false],
  ['[a-c]x', 'bx', true],
  ['[c-a]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[^a-c]x', 'dx', true],
  ['[\\]]', ']', true],
  ['[]', 'a', false],
  ['[abc', 'b', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['a\\', 'a\\', true],
  ['**a**', 'bab', true],
];

test.each(GLOBS)('%j on %j: %p, in memory as in a load under way', async (pattern, key, expected) => {
  expect(globMatcher(pattern)(key)).toBe(expected);
  if (pattern === '' || key === '') return;
  const cache = createCache({ redis: false });
  await cache.set(key, 1);
  expect(await cache.invalidatePattern(pattern)).toBe(expected ? 1 : 0);
  await cache.close();
});

test('many stars on a long key take no time', () => {
  const key = `page:${':lang:'.repeat(2000)}`;
  const began = performance.now();
  expect(globMatcher('page:*:lang:*:lang:*:v2')(key)).toBe(false);
  expect(globMatcher('*a*a*a*a*a*a*a*a*b')('a'.repeat(60))).toBe(false);
  expect(performance.now() - began).toBeLessThan(1000);
});

test('escapePattern: a pattern for exactly this text', () => {
  for (const text of ['a*b', 'a?', '[x]', '^', 'a\\b', '\\', 'ä*', '[^a-z]']) {
    const matches = globMatcher(escapePattern(text));
    expect(matches(text)).toBe(true);
    expect(matches(`${text}x`)).toBe(false);
    expect(matches(text.replace(/[*?[\\^]/, 'y'))).toBe(!/[*?[\\^]/.test(text));
  }
  expect(() => escapePattern(/** @type {any} */ (1))).toThrow('text: expected a string, got number');
});
