'use strict';
// Durations: seconds as numbers, or strings with a unit.

const { parseDuration, parsePositiveDuration } = require('../../lib/options/duration');

describe('parseDuration', () => {
  test.each([
    [0, 0],
    [1, 1000],
    [0.25, 250],
    [0.0004, 0],
    [86_400, 86_400_000],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1.5s', 1500],
    ['0.4ms', 0],
    ['0s', 0],
    ['10 s', 10_000],
  ])('%p is %p ms', (given, ms) => {
    expect(parseDuration(given, 'ttl')).toBe(ms);
  });

  test.each([[2 ** 31], [2 ** 53], [Number.MAX_VALUE], [Infinity], ['99999999999999d']])(
    '%p is a whole number of ms that fits the envelope',
    (given) => {
      const ms = parseDuration(given, 'ttl');
      expect(Number.isSafeInteger(ms)).toBe(true);
      expect(ms).toBeGreaterThanOrEqual(2 ** 31 * 1000);
      expect(ms).toBeLessThan(2 ** 48);
    },
  );

  test('survives the limits of 32-bit timers', () => {
    expect(parseDuration((2 ** 31 - 1) / 1000, 'ttl')).toBe(2 ** 31 - 1);
    expect(parseDuration(2 ** 31 / 1000, 'ttl')).toBe(2 ** 31);
  });

  test.each([
    [-1],
    [-0.001],
    [NaN],
    [-Infinity],
    [null],
    [undefined],
    [true],
    [5n],
    [{}],
    [[5]],
    [() => 5],
    [''],
    ['5'],
    ['s'],
    ['-5s'],
    ['+5s'],
    ['.5s'],
    ['5.s'],
    ['1e3s'],
    ['5S'],
    ['5s '],
    ['5 parsecs'],
    ['5m30s'],
    ['5s\n'],
    ['٥s'],
  ])('refuses %p and names the option', (given) => {
    expect(() => parseDuration(given, 'the.option')).toThrow(TypeError);
    expect(() => parseDuration(given, 'the.option')).toThrow(/^the\.option: expected a number of seconds/);
  });

  test('says what it was given', () => {
    expect(() => parseDuration('10 parsecs', 'ttl')).toThrow("got '10 parsecs'");
    expect(() => parseDuration(-1, 'ttl')).toThrow('got -1');
    expect(() => parseDuration(null, 'ttl')).toThrow('got null');
    expect(() => parseDuration(Symbol('x'), 'ttl')).toThrow('got a symbol');
    expect(() => parseDuration(Object.create(null), 'ttl')).toThrow('got an instance of Object');
    expect(() => parseDuration('x'.repeat(100), 'ttl')).toThrow('got a string of 100 characters');
  });
});

describe('parsePositiveDuration', () => {
  test('takes a millisecond', () => {
    expect(parsePositiveDuration(0.001, 'ttl')).toBe(1);
  });

  test.each([[0], [-0], ['0ms'], ['0d'], [0.0001]])('refuses %p', (given) => {
    expect(() => parsePositiveDuration(given, 'ttl')).toThrow(TypeError);
    expect(() => parsePositiveDuration(given, 'ttl')).toThrow('ttl: expected at least a millisecond');
  });
});
