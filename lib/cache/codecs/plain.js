'use strict';
// Looks at a value before msgpackr does, which would store some of it differently without a word: half surrogate pairs,
// keys that it renames or trips over, functions, objects of other realms and classes. Nearly all values are plain and
// cost one walk; the others are rebuilt from what MessagePack can hold, or refused with the path of what is wrong.
const { types } = require('node:util');
const { describe } = require('../../options/invalid');
const { at, isLost } = require('./lost');

// Deep enough for data, shallow enough for the stack of whoever decodes it.
const MAX_DEPTH = 500;
// An object with more is a dictionary, whose shape never comes again: as a record it costs several times what JSON does.
const MAX_KEYS = 256;

// msgpackr reads the first back under another name, and keeps notes of its own under the second.
const BAD_KEYS = new Set(['__proto__', '__keys__']);
// msgpackr calls what it finds under the name of an error, which need not be a constructor.
const BAD_ERROR_NAMES = new Set(Object.getOwnPropertyNames(Object.prototype));

// Those that have a number in the format.
const TYPED_ARRAYS = new Set(
  [
    'Int8',
    'Uint8',
    'Uint8Clamped',
    'Int16',
    'Uint16',
    'Int32',
    'Uint32',
    'Float32',
    'Float64',
    'BigInt64',
    'BigUint64',
  ].map((type) => `${type}Array`),
);

/**
 * Whether msgpackr stores the value exactly, as far as one quick look can tell.
 * @param {any} value
 * @param {number} [depth]
 * @returns {boolean}
 */
function isPlain(value, depth = 0) {
  switch (typeof value) {
    case 'string':
      return /** @type {any} */ (value).isWellFormed();
    case 'object':
      break;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH) return false;
  const { constructor } = value;
  if (constructor === Object) {
    let count = 0;
    for (const key in value) {
      if (++count > MAX_KEYS || key === '__proto__' || key === '__keys__') return false;
      if (!(/** @type {any} */ (key).isWellFormed()) || !isPlain(value[key], depth + 1)) return false;
    }
    return Object.getPrototypeOf(value) === Object.prototype && !Object.hasOwn(value, 'constructor');
  }
  if (constructor === Array) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth + 1)) return false;
    return Object.getPrototypeOf(value) === Array.prototype;
  }
  return (constructor === Date && value instanceof Date) || (constructor === Buffer && value instanceof Buffer);
}

/** Rebuilds a value of objects, arrays and types that msgpackr stores exactly. */
class Rebuilder {
  /** @type {string | undefined} the first thing that JSON could not hold as exactly */
  beyondJson;
  /** @type {string | undefined} the first thing that msgpackr could not */
  beyondMsgpack;
  /** Whether there is a dictionary. */
  hasDictionary = false;
  #above = new Set();
  #what;

  /** @param {string} what the value is, for the error */
  constructor(what) {
    this.#what = what;
  }

  /**
   * @param {any} value
   * @param {string} path
   * @returns {any}
   */
  rebuild(value, path = '') {
    switch (typeof value) {
      case 'string':
        this.#checkText(value, path);
        return value;
      case 'number':
        if (!Number.isFinite(value)) this.beyondJson ??= `${value}${at(path)}`;
        return value;
      case 'boolean':
        return value;
      case 'bigint':
      case 'undefined':
        this.beyondJson ??= `${typeof value}${at(path)}`;
        return value;
      case 'object':
        return value === null ? null : this.#rebuildObject(value, path);
      default:
        throw this.#refusal(`a ${typeof value}${at(path)}`);
    }
  }

  /**
   * @param {any} value
   * @param {string} path
   */
  #rebuildObject(value, path) {
    if (this.#above.has(value)) throw this.#refusal(`it: it is circular, an object holds itself${at(path)}`);
    if (this.#above.size > MAX_DEPTH) throw this.#refusal(`it: it is nested deeper than ${MAX_DEPTH} levels`);
    this.#above.add(value);
    try {
      if (Array.isArray(value)) return Array.from(value, (item, index) => this.rebuild(item, `${path}[${index}]`));
      return this.#rebuildBuiltIn(value, path) ?? this.#rebuildPlain(value, path);
    } finally {
      this.#above.delete(value);
    }
  }

  /**
   * Of this realm, and of no subclass.
   * @param {any} value
   * @param {string} path
   * @returns {any} undefined: no built-in type
   */
  #rebuildBuiltIn(value, path) {
    const rebuilt = this.#builtIn(value, path);
    if (rebuilt !== undefined) this.beyondJson ??= `${value.constructor?.name}${at(path)}`;
    return rebuilt;
  }

  /**
   * @param {any} value
   * @param {string} path
   */
  #builtIn(value, path) {
    if (Buffer.isBuffer(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (types.isTypedArray(value)) return this.#rebuildTypedArray(value, path);
    if (types.isDataView(value) || types.isArrayBuffer(value)) return value;
    if (types.isDate(value)) return new Date(value.getTime());
    if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
    if (types.isMap(value)) {
      return new Map(
        Array.from(value, ([key, item], index) => [
          this.rebuild(key, `${path}[key ${index}]`),
          this.rebuild(item, `${path}[${index}]`),
        ]),
      );
    }
    if (types.isSet(value)) return new Set(Array.from(value, (item, index) => this.rebuild(item, `${path}[${index}]`)));
    if (types.isNativeError(value) || value instanceof Error) return this.#rebuildError(value, path);
    if (types.isBoxedPrimitive(value)) return this.rebuild(value.valueOf(), path);
    const opaque = ['Promise', 'WeakMap', 'WeakSet', 'SharedArrayBuffer', 'GeneratorObject', 'External'];
    for (const name of opaque) {
      if (/** @type {any} */ (types)[`is${name}`](value)) {
        throw this.#refusal(`a ${name}${at(path)}${name === 'Promise' ? '; await it first' : ''}`);
      }
    }
    return undefined;
  }

  /**
   * @param {any} array
   * @param {string} path
   */
  #rebuildTypedArray(array, path) {
    const name = array[Symbol.toStringTag];
    if (!TYPED_ARRAYS.has(name)) throw this.#refusal(`a ${name}${at(path)}`);
    return new /** @type {any} */ (globalThis)[name](array.buffer, array.byteOffset, array.length);
  }

  /**
   * Its name, message and cause.
   * @param {any} error
   * @param {string} path
   */
  #rebuildError(error, path) {
    const name = this.rebuild(String(error.name), `${path}.name`);
    // The arguments of AggregateError come in another order.
    if (name === 'AggregateError' || BAD_ERROR_NAMES.has(name)) {
      throw this.#refusal(`an error named ${name}${at(path)}`);
    }
    const message = this.rebuild(String(error.message), `${path}.message`);
    const rebuilt = new Error(message, { cause: this.rebuild(error.cause, `${path}.cause`) });
    rebuilt.name = name;
    return rebuilt;
  }

  /**
   * As JSON does: what toJSON() gives, else the own enumerable properties.
   * @param {any} value
   * @param {string} path
   */
  #rebuildPlain(value, path) {
    if (typeof value.toJSON === 'function') return this.rebuild(value.toJSON(path), path);
    if (isLost(value)) throw this.#refusal(`${describe(value)}${at(path)}`);
    /** @type {Record<string, any>} */
    const rebuilt = {};
    const keys = Object.keys(value);
    if (keys.length > MAX_KEYS) this.hasDictionary = true;
    for (const key of keys) {
      if (BAD_KEYS.has(key)) this.beyondMsgpack ??= `a key named '${key}'${at(path)}`;
      // With its own `constructor` an object is not seen to be plain, and msgpackr calls whatever its toJSON is.
      if (key === 'constructor') this.beyondMsgpack ??= `a key named 'constructor'${at(path)}`;
      this.#checkText(key, path);
      const item = this.rebuild(value[key], `${path}.${key}`);
      if (key !== '__proto__') rebuilt[key] = item;
      // Assigning would set the prototype.
      else Object.defineProperty(rebuilt, key, { value: item, enumerable: true, configurable: true, writable: true });
    }
    return rebuilt;
  }

  /**
   * @param {string} text
   * @param {string} path
   */
  #checkText(text, path) {
    if (!(/** @type {any} */ (text).isWellFormed())) this.beyondMsgpack ??= `half a surrogate pair in text${at(path)}`;
  }

  /** @param {string} problem */
  #refusal(problem) {
    return new TypeError(`${this.#what}: MessagePack cannot hold ${problem}`);
  }
}

module.exports = { isPlain, Rebuilder };
