'use strict';
// Estimates how much of V8's heap a value takes. Strings are counted as one byte a character, as V8 stores Latin-1 text;
// keys of objects are not counted: objects of one shape share them.
const { types } = require('node:util');

const HEADER = 24;
const WORD = 8;
const HEAP_NUMBER = 16;
const MAP_SLOT = 40;
const BACKING_STORE = 120;
// A value with more nodes is extrapolated from these.
const MOST_NODES = 20_000;

/**
 * @param {unknown} value
 * @returns {number} bytes
 */
function heapSizeOf(value) {
  /** @type {unknown[]} */
  const pending = [value];
  let bytes = 0;
  let nodes = 0;
  while (pending.length > 0) {
    if (++nodes > MOST_NODES) return bytes * ((nodes + pending.length) / nodes);
    bytes += ownSize(pending.pop(), pending);
  }
  return bytes;
}

/**
 * @param {unknown} value
 * @param {unknown[]} pending gets what is in it
 */
function ownSize(value, pending) {
  // JSON.parse gives one object for equal short strings.
  if (typeof value === 'string') return value.length <= 10 ? HEADER / 2 : HEADER + value.length;
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 30 ? 0 : HEAP_NUMBER;
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) {
    for (const item of value) pending.push(item);
    return 2 * HEADER + WORD * value.length;
  }
  if (ArrayBuffer.isView(value)) return BACKING_STORE + value.byteLength;
  if (types.isAnyArrayBuffer(value)) return BACKING_STORE + value.byteLength;
  if (types.isMap(value)) {
    for (const [key, item] of value) pending.push(key, item);
    return HEADER + MAP_SLOT * value.size;
  }
  if (types.isSet(value)) {
    for (const item of value) pending.push(item);
    return HEADER + MAP_SLOT * value.size;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return sizeOfInstance(value, pending);
  let properties = 0;
  for (const key in value) {
    pending.push(/** @type {any} */ (value)[key]);
    properties++;
  }
  return HEADER + WORD * properties;
}

/**
 * An object of a class: its accessors are not called, they may do anything.
 * @param {object} value
 * @param {unknown[]} pending gets what is in it
 */
function sizeOfInstance(value, pending) {
  const properties = Object.values(Object.getOwnPropertyDescriptors(value));
  for (const property of properties) pending.push(property.value);
  return HEADER + WORD * properties.length;
}

module.exports = { heapSizeOf };
