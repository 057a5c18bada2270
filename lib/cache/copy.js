'use strict';
// Copies of one decoded value, faster than decoding it again. What is copied how is found out once per value (its
// layout); a copy then touches only what can be changed. V8 clones a whole plain object for a spread, and the memory of
// an array for slice(): primitives are never looked at one by one.
const { types } = require('node:util');
const { BoundedMap } = require('../util/bounded-map');

// Deeper values are decoded again instead: copying recurses.
const MAX_DEPTH = 200;

const ARRAY = 0; // of primitives
const OBJECT = 1; // plain, its properties primitives
const ROWS = 2; // an array, every element with the one layout
const MIXED = 3; // an array, its nested elements with layouts of their own
const NESTED = 4; // a plain object with nested properties
const BARE = 5; // an object without a prototype
const DATE = 6;
const BUFFER = 7;
const BYTES = 8; // any other typed array, an ArrayBuffer
const MAP = 9;
const SET = 10;
const REGEXP = 11;
const VIEW = 12;

/** @typedef {import('./types').Layout} Layout */

/** @typedef {import('./types').Plan} Plan */

/** @type {Layout[]} */
const SIMPLE = [ARRAY, OBJECT, ROWS, MIXED, NESTED, BARE, DATE, BUFFER, BYTES, MAP, SET, REGEXP, VIEW].map((kind) => ({
  kind,
  keys: [],
  parts: [],
  id: kind,
}));
const FLAT_ROWS = { kind: ROWS, keys: [], parts: [SIMPLE[OBJECT]], id: SIMPLE.length };

/** What has no layout: copying it would not be exact. */
const NONE = Symbol('no layout');

// Equal layouts are one object, in all values: values of one kind are many, and their layouts few. Plans keep those
// that they need.
const MOST_LAYOUTS = 1000;
const LONGEST_NAME = 1024;
/** @type {import('../util/bounded-map').BoundedMapOf<Layout>} */
const layouts = new BoundedMap(MOST_LAYOUTS);
let lastId = FLAT_ROWS.id;

/** Finds the layout of one value. */
class Planner {
  // What is referenced twice (or holds itself) would be copied twice.
  #seen = new Set();
  #custom;

  /** @param {boolean} custom */
  constructor(custom) {
    this.#custom = custom;
  }

  /**
   * @param {any} value
   * @param {number} depth
   * @returns {Layout | undefined | typeof NONE} undefined: it can be shared
   */
  layoutOf(value, depth) {
    if (typeof value !== 'object' || value === null) return isPrimitive(value) ? undefined : NONE;
    if (depth > MAX_DEPTH || this.#seen.has(value)) return NONE;
    this.#seen.add(value);
    if (Array.isArray(value)) return this.#ofArray(value, depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#ofObject(value, prototype, depth);
    return this.#ofBuiltIn(value, prototype, depth);
  }

  /**
   * @param {any[]} array
   * @param {number} depth
   */
  #ofArray(array, depth) {
    if (Object.getPrototypeOf(array) !== Array.prototype || (this.#custom && !hasOnlyValues(array))) return NONE;
    /** @type {number[]} */
    const keys = [];
    /** @type {Layout[]} */
    const parts = [];
    const { length } = array;
    for (let i = 0; i < length; i++) {
      const item = array[i];
      if (typeof item !== 'object' && typeof item !== 'function' && typeof item !== 'symbol') continue;
      const layout = this.layoutOf(item, depth + 1);
      if (layout === NONE) return NONE;
      if (layout === undefined) continue;
      keys.push(i);
      parts.push(layout);
    }
    if (parts.length === 0) return SIMPLE[ARRAY];
    if (parts.length < length || parts.some((part) => part !== parts[0])) return this.#shared(MIXED, keys, parts);
    return parts[0] === SIMPLE[OBJECT] ? FLAT_ROWS : this.#shared(ROWS, [], [parts[0]]);
  }

  /**
   * @param {any} object
   * @param {object | null} prototype
   * @param {number} depth
   */
  #ofObject(object, prototype, depth) {
    if (this.#custom && !hasOnlyValues(object)) return NONE;
    /** @type {string[]} */
    const names = [];
    /** @type {Layout[]} */
    const parts = [];
    for (const name in object) {
      const item = object[name];
      if (typeof item !== 'object' && typeof item !== 'function' && typeof item !== 'symbol') continue;
      const layout = this.layoutOf(item, depth + 1);
      if (layout === NONE) return NONE;
      if (layout === undefined) continue;
      names.push(name);
      parts.push(layout);
    }
    if (prototype === null) return parts.length === 0 ? SIMPLE[BARE] : this.#shared(BARE, names, parts);
    return parts.length === 0 ? SIMPLE[OBJECT] : this.#shared(NESTED, names, parts);
  }

  /**
   * @param {any} value
   * @param {object} prototype
   * @param {number} depth
   */
  #ofBuiltIn(value, prototype, depth) {
    if (prototype === Buffer.prototype) return SIMPLE[BUFFER];
    if (types.isTypedArray(value)) {
      return prototype === /** @type {any} */ (globalThis)[value[Symbol.toStringTag]]?.prototype ? SIMPLE[BYTES] : NONE;
    }
    // Properties that somebody gave to a built-in object would be lost.
    if (Reflect.ownKeys(value).length > (prototype === RegExp.prototype ? 1 : 0)) return NONE;
    if (prototype === Date.prototype && types.isDate(value)) return SIMPLE[DATE];
    if (prototype === RegExp.prototype && types.isRegExp(value)) return value.lastIndex === 0 ? SIMPLE[REGEXP] : NONE;
    if (prototype === ArrayBuffer.prototype && types.isArrayBuffer(value)) return SIMPLE[BYTES];
    if (prototype === DataView.prototype && types.isDataView(value)) return SIMPLE[VIEW];
    if (prototype === Map.prototype && types.isMap(value)) {
      const parts = [];
      for (const [key, item] of value) parts.push(this.layoutOf(key, depth + 1), this.layoutOf(item, depth + 1));
      return parts.includes(NONE) ? NONE : this.#shared(MAP, [], parts);
    }
    if (prototype === Set.prototype && types.isSet(value)) {
      const parts = Array.from(value, (item) => this.layoutOf(item, depth + 1));
      return parts.includes(NONE) ? NONE : this.#shared(SET, [], parts);
    }
    return NONE;
  }

  /**
   * @param {number} kind
   * @param {any[]} keys
   * @param {any[]} parts
   * @returns {Layout}
   */
  #shared(kind, keys, parts) {
    // Those of long arrays are as good as never the same twice, and their names would be long.
    if (parts.length > 64) return { kind, keys, parts, id: ++lastId };
    const name = JSON.stringify([kind, keys, parts.map((part) => part?.id)]);
    const known = layouts.get(name);
    if (known !== undefined) return known;
    const layout = { kind, keys, parts, id: ++lastId };
    if (name.length > LONGEST_NAME) return layout;
    layouts.set(name, layout);
    return layout;
  }
}

/** @param {unknown} value */
function isPrimitive(value) {
  return typeof value !== 'function' && typeof value !== 'symbol';
}

/**
 * Whether a copy of the enumerable values is the whole of it.
 * @param {object} object
 */
function hasOnlyValues(object) {
  for (const key of Reflect.ownKeys(object)) {
    const property = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(object, key));
    if (key === 'length' && Array.isArray(object)) continue;
    if (typeof key === 'symbol' || !property.enumerable || !('value' in property)) return false;
    if (Array.isArray(object) && !/^\d+$/.test(key)) return false;
  }
  return true;
}

/**
 * @param {Layout} layout
 * @param {any} value
 * @returns {any}
 */
function copy(layout, value) {
  switch (layout.kind) {
    case ARRAY:
      return value.slice();
    case OBJECT:
      return { ...value };
    case ROWS:
      return layout === FLAT_ROWS ? copyFlatRows(value) : copyRows(layout.parts[0], value);
    case MIXED:
      return copyParts(layout, value, value.slice());
    case NESTED:
      return copyParts(layout, value, { ...value });
    case BARE:
      return copyParts(layout, value, { __proto__: null, ...value });
    default:
      return copyBuiltIn(layout, value);
  }
}

/** @param {any[]} rows */
function copyFlatRows(rows) {
  // The slice has the length and stays packed, which `new Array(length)` would not.
  const copies = rows.slice();
  for (let i = 0; i < copies.length; i++) copies[i] = { ...rows[i] };
  return copies;
}

/**
 * @param {Layout} layout of each row
 * @param {any[]} rows
 */
function copyRows(layout, rows) {
  const copies = rows.slice();
  for (let i = 0; i < copies.length; i++) copies[i] = copy(layout, rows[i]);
  return copies;
}

/**
 * @param {Layout} layout
 * @param {any} value
 * @param {any} copied what is nested is still that of the value. A property `__proto__` is its own already, so that
 *   assigning to it changes no prototype.
 */
function copyParts({ keys, parts }, value, copied) {
  for (let i = 0; i < keys.length; i++) copied[keys[i]] = copy(parts[i], value[keys[i]]);
  return copied;
}

/**
 * @param {Layout} layout
 * @param {any} value
 */
function copyBuiltIn({ kind, parts }, value) {
  const part = (/** @type {any} */ item, /** @type {number} */ index) =>
    parts[index] === undefined ? item : copy(parts[index], item);
  switch (kind) {
    case DATE:
      return new Date(value.getTime());
    case BUFFER:
      return Buffer.from(value);
    case BYTES:
      return value.slice();
    case VIEW:
      return new DataView(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
    case REGEXP:
      return new RegExp(value.source, value.flags);
    case MAP: {
      const copied = new Map();
      let index = 0;
      for (const [key, item] of value) copied.set(part(key, index++), part(item, index++));
      return copied;
    }
    default: {
      const copied = new Set();
      let index = 0;
      for (const item of value) copied.add(part(item, index++));
      return copied;
    }
  }
}

/**
 * How to copy a value. Costs about as much as decoding it once: worth it from the second copy on.
 * @param {unknown} value just decoded, and from here on the plan's
 * @param {boolean} [custom] made by somebody's own codec: may have accessors and hidden properties
 * @returns {Plan | undefined} undefined: no copy would be exact (instances of classes, errors, one object in two places,
 *   very deep nesting); decode again instead
 */
function planCopy(value, custom = false) {
  const layout = new Planner(custom).layoutOf(value, 0);
  return layout === NONE ? undefined : { source: value, layout: /** @type {Layout | undefined} */ (layout) };
}

/**
 * @param {Plan} plan
 * @returns {any} a copy that shares nothing that could be changed
 */
function copyOf({ source, layout }) {
  return layout === undefined ? source : copy(layout, source);
}

module.exports = { planCopy, copyOf };
