'use strict';
// A hash of any arguments, for keys. Written out with their types first, so that `1` and `'1'`, `-0` and `0`, `null` and
// nothing differ, and with sorted keys, so that the order in which an object was built does not matter.
const { createHash } = require('node:crypto');
const { describe, isPlainObject } = require('../options/invalid');

/**
 * @param {unknown} value
 * @param {Set<object>} above objects that hold this one
 * @returns {string}
 */
function write(value, above) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? 'n-0' : `n${value}`;
    case 'bigint':
      return `i${value}`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'object':
      if (value === null) return 'z';
      return writeObject(value, above);
    default:
      throw new TypeError(
        `hashArgs: ${describe(value)} has no value that could be part of a key; give \`key\` a function`,
      );
  }
}

/**
 * @param {object} value
 * @param {Set<object>} above
 */
function writeObject(value, above) {
  if (above.has(value)) throw new TypeError('hashArgs: the arguments hold a cycle; give `key` a function');
  above.add(value);
  try {
    // A hole is read as undefined, and map() would leave it out.
    if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, above)).join()}]`;
    if (value instanceof Date) return `D${value.getTime()}`;
    if (value instanceof RegExp) return `R${JSON.stringify(String(value))}`;
    if (value instanceof Map) {
      const pairs = [...value].map(([key, item]) => `${write(key, above)}>${write(item, above)}`);
      return `M{${pairs.sort().join()}}`;
    }
    if (value instanceof Set) {
      return `S{${[...value]
        .map((item) => write(item, above))
        .sort()
        .join()}}`;
    }
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return `B${value.constructor.name}:${bytes.toString('base64')}`;
    }
    if (!isPlainObject(value)) return writeInstance(value, above);
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${write(item, above)}`);
    return `{${entries.sort().join()}}`;
  } finally {
    above.delete(value);
  }
}

/**
 * What an instance of somebody's class is made of cannot be seen from outside (private fields): only its own word counts.
 * @param {any} value
 * @param {Set<object>} above
 */
function writeInstance(value, above) {
  if (typeof value.toJSON !== 'function') {
    throw new TypeError(`hashArgs: ${describe(value)} could not be told from others; give \`key\` a function`);
  }
  return `J${value.constructor?.name}:${write(value.toJSON(), above)}`;
}

/**
 * @param {readonly unknown[]} args
 * @returns {string} 27 characters of base64url: 160 bits of SHA-256
 */
function hashArgs(args) {
  if (!Array.isArray(args)) throw new TypeError(`hashArgs: expected an array of arguments, got ${describe(args)}`);
  return createHash('sha256').update(write(args, new Set())).digest('base64url').slice(0, 27);
}

module.exports = { hashArgs };
