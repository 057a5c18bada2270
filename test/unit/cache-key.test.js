'use strict';
// cacheKey: different parts give different keys.

const { cacheKey } = require('../../lib');

describe('cacheKey', () => {
  test('joins parts', () => {
    expect(cacheKey('user', 42)).toBe('user:42');
    expect(cacheKey('a')).toBe('a');
    expect(cacheKey('n', 10n ** 20n, true, -1.5)).toBe('n:100000000000000000000:true:-1.5');
    expect(cacheKey('größe', '日本', '🙂')).toBe('größe:日本:🙂');
  });

  test('escapes what separates', () => {
    expect(cacheKey('a:b', '50%')).toBe('a%3Ab:50%25');
  });

  test('is injective over strings of the characters that matter', () => {
    const alphabet = ['a', ':', '%', '3', 'A', '2', '5'];
    let words = [''];
    const parts = [];
    for (let length = 1; length <= 3; length++) {
      words = words.flatMap((word) => alphabet.map((letter) => word + letter));
      parts.push(...words);
    }
    const seen = new Map();
    const add = (...given) => {
      const key = cacheKey(...given);
      const name = JSON.stringify(given);
      if (seen.has(key)) throw new Error(`${name} and ${seen.get(key)} are both ${key}`);
      seen.set(key, name);
    };
    const short = parts.filter((part) => part.length <= 2);
    for (const one of parts) add(one);
    for (const one of short) for (const two of short) add(one, two);
    for (const one of alphabet) for (const two of alphabet) for (const three of alphabet) add(one, two, three);
    expect(seen.size).toBe(parts.length + short.length ** 2 + alphabet.length ** 3);
  });

  test.each([[''], [null], [undefined], [{}], [['a']], [Symbol('s')], [() => 1]])('refuses the part %p', (part) => {
    expect(() => cacheKey('a', part)).toThrow(TypeError);
    expect(() => cacheKey('a', part)).toThrow('cacheKey: part 1: expected');
  });

  test('refuses no parts at all', () => {
    expect(() => cacheKey()).toThrow(TypeError);
  });
});
