'use strict';
// What becomes of a session that two requests have changed: a three-way merge by the keys of its top level. Values are
// taken whole, from one side or the other: nothing is mixed inside of objects or arrays.
const { isDeepStrictEqual } = require('node:util');
const { isObject, without } = require('./formats/json');
const { sameMaxAge, timeOf } = require('./formats/expiry');

/**
 * Whether two cookies say the same but for their ends.
 * @param {any} one
 * @param {any} other
 */
function sameSettings(one, other) {
  const rest = (/** @type {any} */ cookie) => without(cookie ?? {}, ['expires', 'originalMaxAge']);
  return sameMaxAge(one?.originalMaxAge, other?.originalMaxAge) && isDeepStrictEqual(rest(one), rest(other));
}

/**
 * @param {any} base what this request loaded
 * @param {any} mine what it made of it
 * @param {any} theirs what others made of it meanwhile
 * @returns {any}
 */
function merge(base, mine, theirs) {
  const merged = { ...theirs };
  for (const key of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (key === 'cookie' || sameAt(key, base, mine)) continue;
    if (Object.hasOwn(mine, key)) define(merged, key, mine[key]);
    else delete merged[key];
  }
  const cookie = mergeCookie(base.cookie, mine.cookie, theirs.cookie);
  if (cookie !== undefined) merged.cookie = cookie;
  return merged;
}

/**
 * One of the two, whole: mine, unless all that I did to it was to move its end.
 * @param {any} base
 * @param {any} mine
 * @param {any} theirs
 */
function mergeCookie(base, mine, theirs) {
  if (!isObject(mine) || !isObject(theirs)) return mine ?? theirs;
  if (!sameSettings(mine, base)) return mine;
  if (!sameSettings(mine, theirs)) return theirs;
  return timeOf(mine.expires) > timeOf(theirs.expires) ? mine : theirs;
}

/**
 * @param {string} key
 * @param {any} one
 * @param {any} other
 */
function sameAt(key, one, other) {
  const there = Object.hasOwn(one, key);
  return there === Object.hasOwn(other, key) && (!there || isDeepStrictEqual(one[key], other[key]));
}

/** An own property, whatever it is called: __proto__ too. @param {any} object @param {string} key @param {any} value */
function define(object, key, value) {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

module.exports = { merge };
