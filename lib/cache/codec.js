'use strict';
// Values to payloads and back. JSON for everything but bytes, which are kept as they are.
const { isUint8Array } = require('node:util').types; // of any realm

// As in src/core/entry.h.
const BYTES = 0;
const JSON_TEXT = 1;

/**
 * @typedef {object} Encoded
 * @property {number} codec
 * @property {string | Uint8Array} payload
 */

/**
 * @param {unknown} value anything but undefined
 * @param {string} name of the argument, for the error
 * @returns {Encoded}
 */
function encode(value, name) {
  if (isUint8Array(value)) return { codec: BYTES, payload: value };
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new TypeError(`${name}: JSON cannot hold it: ${/** @type {Error} */ (error).message.split('\n', 1)[0]}`, {
      cause: error,
    });
  }
  if (text === undefined) throw new TypeError(`${name}: JSON cannot hold a ${typeof value}`);
  return { codec: JSON_TEXT, payload: text };
}

/**
 * @param {number} codec
 * @param {string | Uint8Array} payload
 * @returns {any} a value of its own for every call; undefined when the payload is none of ours
 */
function decode(codec, payload) {
  if (codec === BYTES) return payload;
  if (codec !== JSON_TEXT) return undefined;
  try {
    return JSON.parse(/** @type {string} */ (payload));
  } catch {
    return undefined;
  }
}

/**
 * The same payload, out of reach of whoever holds the value.
 * @param {Encoded} encoded
 * @returns {Encoded}
 */
function detached({ codec, payload }) {
  return { codec, payload: typeof payload === 'string' ? payload : Buffer.from(payload) };
}

module.exports = { encode, decode, detached, BYTES, JSON_TEXT };
