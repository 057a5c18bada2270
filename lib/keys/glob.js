'use strict';
// Patterns of keys as Redis has them, and the literal forms of strings in them.

/**
 * A pattern that matches exactly this text.
 * @param {string} text
 */
function escapePattern(text) {
  if (typeof text !== 'string') throw new TypeError(`text: expected a string, got ${typeof text}`);
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

/**
 * Whether `[…]`, `*` or `?` stand in it, unescaped.
 * @param {string} text
 */
function isGlob(text) {
  return /(^|[^\\])(\\\\)*[*?[]/.test(text);
}

/**
 * Whether keys match the pattern, as in Redis and in src/core/glob.cpp: byte by byte of their UTF-8. Only the last star
 * is ever tried again, so the time is bounded by the length of the pattern times that of the key.
 * @param {string} pattern
 * @returns {(key: string) => boolean}
 */
function globMatcher(pattern) {
  const elements = elementsOf(bytesOf(pattern));
  return (key) => matches(elements, bytesOf(key));
}

/**
 * One byte of UTF-8 in each character.
 * @param {string} text
 */
function bytesOf(text) {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

const STAR = '*';

/** @typedef {typeof STAR | ((byte: string) => boolean)} Element */

/**
 * @param {string} pattern
 * @returns {Element[]}
 */
function elementsOf(pattern) {
  /** @type {Element[]} */
  const elements = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '*') {
      if (elements.at(-1) !== STAR) elements.push(STAR);
    } else if (char === '?') elements.push(() => true);
    else if (char === '[') {
      const set = setAt(pattern, at + 1);
      elements.push(set.has);
      at = set.end;
    } else {
      const literal = char === '\\' && at + 1 < pattern.length ? pattern[++at] : char;
      elements.push((byte) => byte === literal);
    }
  }
  return elements;
}

/**
 * A set without its brackets; one that is not closed ends with the pattern.
 * @param {string} pattern
 * @param {number} from
 * @returns {{ has: (byte: string) => boolean, end: number }} end: where its `]` is
 */
function setAt(pattern, from) {
  const negated = pattern[from] === '^';
  /** @type {Array<[string, string]>} */
  const ranges = [];
  let at = negated ? from + 1 : from;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      ranges.push([pattern[at + 1], pattern[at + 1]]);
      at += 2;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern[at], pattern[at + 2]].sort();
      ranges.push([low, high]);
      at += 3;
    } else {
      ranges.push([pattern[at], pattern[at]]);
      at++;
    }
  }
  return { has: (byte) => ranges.some(([low, high]) => byte >= low && byte <= high) !== negated, end: at };
}

/**
 * @param {readonly Element[]} elements
 * @param {string} text
 */
function matches(elements, text) {
  let at = 0;
  let read = 0;
  let behindStar = -1;
  let starEnd = 0;
  while (read < text.length) {
    const element = elements[at];
    if (element === STAR) {
      behindStar = ++at;
      starEnd = read;
    } else if (element !== undefined && element(text[read])) {
      at++;
      read++;
    } else if (behindStar >= 0) {
      at = behindStar;
      read = ++starEnd;
    } else return false;
    if (behindStar === elements.length) return true;
  }
  while (elements[at] === STAR) at++;
  return at === elements.length;
}

module.exports = { escapePattern, isGlob, globMatcher };
