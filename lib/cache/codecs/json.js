'use strict';
// JSON text. Nested values become what JSON makes of them (docs/codecs.md); what would be lost as a whole is refused.
const { types } = require('node:util');
const { describe } = require('../../options/invalid');
const { isRefusal, lostIn, refusedAt, textOf } = require('./lost');

const TRY = "codec: 'msgpack' can";

/**
 * @param {unknown} value anything but undefined
 * @param {string} what it is, for the error
 * @returns {string}
 */
function encodeJson(value, what) {
  let text;
  let lost;
  try {
    if (typeof value === 'object' ? value !== null : typeof value !== 'string') checkWhole(value, what);
    text = JSON.stringify(value);
    // What JSON makes of nearly all that it loses, or of streams (_readableState, _writableState): looked for in the value
    // only then. Each search costs a set.
    if (text !== undefined && (text.includes('{}') || text.includes('ableState"'))) lost = lostIn(value);
  } catch (error) {
    throw refusal(error, what, value);
  }
  if (text === undefined) throw new TypeError(`${what}: JSON cannot hold ${describe(value)}`);
  if (lost !== undefined) throw new TypeError(`${what}: JSON cannot hold ${lost}`);
  return text;
}

/**
 * @param {string | Uint8Array} payload
 * @returns {any} undefined: not JSON
 */
function decodeJson(payload) {
  try {
    return JSON.parse(typeof payload === 'string' ? payload : Buffer.from(payload).toString());
  } catch {
    return undefined;
  }
}

/**
 * JSON would make `null` or `{}` of these without a word.
 * @param {any} value
 * @param {string} what
 */
function checkWhole(value, what) {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${what}: JSON cannot hold ${value}; ${TRY}`);
    return;
  }
  if (typeof value !== 'object') return;
  if (types.isPromise(value)) throw new TypeError(`${what}: JSON cannot hold a Promise; await it first`);
  if (types.isDate(value) && Number.isNaN(value.getTime())) {
    throw new TypeError(`${what}: JSON cannot hold an invalid Date; ${TRY}`);
  }
  if (typeof value.toJSON === 'function') return;
  if (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  ) {
    throw new TypeError(`${what}: JSON cannot hold ${describe(value)}; ${TRY}`);
  }
  if (types.isWeakMap(value) || types.isWeakSet(value)) {
    throw new TypeError(`${what}: JSON cannot hold ${describe(value)}`);
  }
}

/**
 * @param {unknown} error of JSON.stringify, or what a getter or a toJSON() of the value has thrown
 * @param {string} what
 * @param {unknown} value
 */
function refusal(error, what, value) {
  if (isRefusal(error, what)) return error;
  const text = textOf(error);
  const reason = () => {
    if (error instanceof RangeError && /call stack/.test(text)) return 'it is nested too deeply';
    if (/circular/i.test(text)) return `it is circular, an object holds itself${refusedAt(value)}`;
    if (/BigInt/.test(text)) return `it holds a BigInt${refusedAt(value)}; ${TRY}, or make it a string`;
    return text;
  };
  return new TypeError(`${what}: JSON cannot hold it: ${reason()}`, { cause: error });
}

module.exports = { encodeJson, decodeJson };
