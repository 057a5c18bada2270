'use strict';
// Freezes a value and everything it holds, for one object that all callers share.
const { types } = require('node:util');

/** Values that were frozen here: asking again costs one look. */
const frozen = new WeakSet();

/**
 * Freezes in place, also what is nested, and objects of classes. What JavaScript cannot freeze stays as it is: bytes in
 * buffers, and what `Date`, `Map` and `Set` change through their methods; the keys and values of a Map or Set are frozen.
 * Cycles and any depth are fine. Accessors are called in plain objects only.
 * @template T
 * @param {T} value
 * @returns {T} the same value
 */
function deepFreeze(value) {
  if (typeof value !== 'object' || value === null || frozen.has(value)) return value;
  // What is frozen already is either ours, from a moment ago, or somebody else's with something unfrozen inside: looked
  // into once.
  const seen = new Set();
  /** @type {any[]} */
  const waiting = [value];
  while (waiting.length > 0) {
    const object = waiting.pop();
    if (ArrayBuffer.isView(object)) continue;
    if (Object.isFrozen(object)) {
      if (seen.has(object)) continue;
      seen.add(object);
    } else {
      Object.freeze(object);
    }
    collect(object, waiting);
  }
  frozen.add(value);
  return value;
}

/**
 * @param {any} object
 * @param {any[]} found objects that it holds
 */
function collect(object, found) {
  if (Array.isArray(object)) {
    // Elements are next to never accessors, and there may be a million of them.
    for (let i = 0; i < object.length; i++) keep(object[i], found);
    return;
  }
  if (Object.getPrototypeOf(object) === Object.prototype) {
    for (const key in object) keep(object[key], found);
    return;
  }
  if (types.isMap(object)) {
    for (const pair of object) for (const item of pair) keep(item, found);
  } else if (types.isSet(object)) {
    for (const item of object) keep(item, found);
  }
  for (const key of Reflect.ownKeys(object)) {
    keep(Object.getOwnPropertyDescriptor(object, key)?.value, found);
  }
}

/**
 * @param {unknown} item
 * @param {any[]} found
 */
function keep(item, found) {
  if (typeof item === 'object' && item !== null) found.push(item);
}

module.exports = { deepFreeze };
