'use strict';
// Sizes: bytes as numbers, or strings with a unit.

const { parseSize } = require('../../lib/options/size');

describe('parseSize', () => {
  test.each([
    [1, 1],
    [1000.9, 1000],
    ['100b', 100],
    ['100B', 100],
    ['512kb', 524_288],
    ['512KB', 524_288],
    ['1.5kb', 1536],
    ['64mb', 67_108_864],
    ['64 MB', 67_108_864],
    ['1gb', 1_073_741_824],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('%p is %p bytes', (given, bytes) => {
    expect(parseSize(given, 'maxBytes')).toBe(bytes);
  });

  test.each([
    [0],
    [0.5],
    [-1],
    [NaN],
    [Infinity],
    [2 ** 60],
    ['0b'],
    ['0.5b'],
    ['-1mb'],
    ['mb'],
    ['1'],
    [''],
    ['1tb'],
    ['1mb '],
    ['1e3kb'],
    ['99999999999gb'],
    [null],
    [undefined],
    [1n],
    [{}],
    [[1]],
  ])('refuses %p and names the option', (given) => {
    expect(() => parseSize(given, 'memory.maxBytes')).toThrow(TypeError);
    expect(() => parseSize(given, 'memory.maxBytes')).toThrow(/^memory\.maxBytes: expected a positive number of bytes/);
  });
});
