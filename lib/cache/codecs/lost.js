'use strict';
// What would be stored as an empty object, or as its own insides: instances that keep what they are out of sight (Response,
// Headers, Blob, Map, a Promise), and streams.
const { types } = require('node:util');
const { describe } = require('../../options/invalid');

/**
 * @param {any} value an object that is no array and has no toJSON()
 */
function isLost(value) {
  if (types.isBoxedPrimitive(value)) return false;
  if (typeof value.pipe === 'function' && typeof value.on === 'function') return true;
  const prototype = Object.getPrototypeOf(value);
  // Of any realm.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return false;
  return Object.keys(value).length === 0;
}

/**
 * The first thing in a value, as JSON.stringify() goes through it, that `named` has a name for, with its path.
 * @param {any} value
 * @param {(value: any, above: readonly object[]) => string | undefined} named `above`: what holds it, from the outermost on
 * @returns {string | undefined}
 */
function firstIn(value, named) {
  /** @type {object[]} */
  const above = [];
  /**
   * @param {any} given
   * @param {string} key
   * @param {string} path
   * @returns {string | undefined}
   */
  function search(given, key, path) {
    let one = given;
    if (typeof one === 'object' && one !== null && typeof one.toJSON === 'function') {
      one = one.toJSON(key);
      // Its own properties, whatever they are.
      if (one === given && typeof one === 'object') return among(one, path);
    }
    const name = named(one, above);
    if (name !== undefined) return `${name}${at(path)}`;
    return typeof one === 'object' && one !== null ? among(one, path) : undefined;
  }
  /**
   * @param {any} holder
   * @param {string} path
   */
  function among(holder, path) {
    const isList = Array.isArray(holder);
    above.push(holder);
    for (const key of Object.keys(holder)) {
      const found = search(holder[key], key, isList ? `${path}[${key}]` : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    above.pop();
    return undefined;
  }
  return search(value, '', '');
}

/**
 * The first thing in a value that JSON would lose, with its path.
 * @param {any} value that JSON.stringify() takes
 */
const lostIn = (value) =>
  firstIn(value, (one) =>
    typeof one === 'object' && one !== null && !Array.isArray(one) && isLost(one) ? describe(one) : undefined,
  );

/**
 * Where in a value the first BigInt is, or the first object that holds itself.
 * @param {any} value that JSON.stringify() refused
 * @returns {string} ' at a.b'; '' for the value itself, or when it is not found
 */
function refusedAt(value) {
  try {
    return firstIn(value, (one, above) => (typeof one === 'bigint' || above.includes(one) ? '' : undefined)) ?? '';
  } catch {
    return '';
  }
}

/**
 * Whether an error is one of a codec already, and not of the value.
 * @param {unknown} error
 * @param {string} what the value is
 * @returns {error is TypeError}
 */
const isRefusal = (error, what) => error instanceof TypeError && textOf(error).startsWith(`${what}: `);

/**
 * The first line of what a value has thrown, whatever that is.
 * @param {any} thrown
 */
function textOf(thrown) {
  try {
    return String(thrown?.message ?? thrown).split('\n', 1)[0];
  } catch {
    return 'what it throws cannot be described';
  }
}

/** @param {string} path */
function at(path) {
  return path === '' ? '' : ` at ${path.length > 100 ? `${path.slice(0, 100)}…` : path.replace(/^\./, '')}`;
}

module.exports = { at, isLost, isRefusal, lostIn, refusedAt, textOf };
