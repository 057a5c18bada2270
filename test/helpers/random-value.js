'use strict';
// Random values for property tests. The same seed gives the same values, so that a failure can be repeated.

/**
 * @param {number} seed
 * @returns {() => number} from 0 to 1 (mulberry32)
 */
function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const TEXTS = [
  '',
  'a',
  'id',
  'naïve',
  'Ω',
  '漢字かな',
  '힣',
  '🙂👩‍👩‍👧',
  '\0',
  '\ufffd',
  '"\\\n',
  'x'.repeat(40),
  'é'.repeat(200),
];
const KEYS = [
  'id',
  'name',
  'a b',
  '',
  '0',
  '17',
  'é',
  '漢',
  'toString',
  'length',
  'hasOwnProperty',
  '🙂',
  'x'.repeat(70),
];
const NUMBERS = [0, 1, -1, 31, 32, 63, 64, 127, 128, 255, 256, 65535, 65536, -32, -33, -128, -129, -32769, 0.1, -1.5]
  .concat([2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
  .concat([Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON]); // prettier-ignore

class RandomValues {
  /** @param {number} seed */
  constructor(seed) {
    this.random = createRandom(seed);
  }

  /** @param {number} limit */
  below(limit) {
    return Math.floor(this.random() * limit);
  }

  /**
   * @template T
   * @param {readonly T[]} choices
   * @returns {T}
   */
  pick(choices) {
    return choices[this.below(choices.length)];
  }

  text() {
    if (this.random() < 0.5) return this.pick(TEXTS);
    return Array.from({ length: this.below(90) }, () => this.pick(['a', 'b', ' ', 'é', '漢', '🙂', '9'])).join('');
  }

  key() {
    return this.random() < 0.7 ? this.pick(KEYS) : `k${this.below(1000)}`;
  }

  number() {
    return this.random() < 0.5 ? this.pick(NUMBERS) : (this.random() - 0.5) * 10 ** this.below(20);
  }

  primitive() {
    return this.pick([() => null, () => true, () => false, () => this.text(), () => this.number()])();
  }

  /**
   * What JSON holds.
   * @param {number} [depth]
   * @returns {any}
   */
  json(depth = 4) {
    return this.#of(depth, () => this.primitive());
  }

  /**
   * What MessagePack holds too.
   * @param {number} [depth]
   * @returns {any}
   */
  rich(depth = 4) {
    const more = [
      () => undefined,
      () => this.pick([NaN, Infinity, -Infinity]),
      () => BigInt(Math.trunc((this.random() - 0.5) * 2 ** 53)) ** BigInt(1 + this.below(40)),
      () => new Date(Math.trunc((this.random() - 0.5) * 2 * 8.64e15)),
      () => new Date(Math.trunc(this.random() * 2e12)),
      () => Buffer.from(Array.from({ length: this.below(300) }, () => this.below(256))),
      () => new Uint8Array(this.below(20)).fill(this.below(256)),
      () => /a+b/gi,
      () => new Set(Array.from({ length: this.below(5) }, () => this.primitive())),
      () => new Map(Array.from({ length: this.below(5) }, () => [this.primitive(), this.rich(Math.max(0, depth - 2))])),
    ];
    return this.#of(depth, () => (this.random() < 0.6 ? this.primitive() : this.pick(more)()));
  }

  /**
   * @param {number} depth
   * @param {() => any} leaf
   * @returns {any}
   */
  #of(depth, leaf) {
    const kind = depth <= 0 ? 9 : this.below(10);
    if (kind < 3) return this.object(() => this.#of(depth - 1, leaf));
    if (kind < 5) return Array.from({ length: this.below(8) }, () => this.#of(depth - 1, leaf));
    if (kind < 7) {
      // Rows: many objects of few shapes.
      const keys = Array.from({ length: 1 + this.below(6) }, () => this.key());
      const row = () => Object.fromEntries(keys.map((key) => [key, leaf()]));
      return Array.from({ length: this.below(20) }, row);
    }
    if (kind < 8) return Array.from({ length: this.below(30) }, leaf);
    return leaf();
  }

  /** @param {() => any} value */
  object(value) {
    return Object.fromEntries(Array.from({ length: this.below(7) }, () => [this.key(), value()]));
  }
}

module.exports = { RandomValues };
