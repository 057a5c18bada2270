'use strict';
// The codec of a cache: values to payloads and back. What an entry is written with stands in it, so that entries of
// another built-in codec stay readable after the option has changed.
const { types } = require('node:util');
const { describe, invalid } = require('../../options/invalid');
const { encodeJson, decodeJson } = require('./json');
const { encodeMsgpack, decodeMsgpack, requireMsgpack } = require('./msgpack');
const { BYTES, JSON_TEXT, MSGPACK, TEXT, CUSTOM } = require('../../store/codec-numbers');

/** @typedef {import('../../store/types').Encoded} Encoded */

/** @typedef {import('../types').CacheCodec} CacheCodec */

/**
 * Strings and bytes, which no codec improves.
 * @param {unknown} value
 * @returns {Encoded | undefined}
 */
function encodeSimple(value) {
  // UTF-8 cannot hold half a surrogate pair; JSON escapes it.
  if (typeof value === 'string') {
    return /** @type {any} */ (value).isWellFormed()
      ? { codec: TEXT, payload: value }
      : { codec: JSON_TEXT, payload: JSON.stringify(value) };
  }
  return types.isUint8Array(value) ? { codec: BYTES, payload: value } : undefined;
}

/**
 * @param {number} codec
 * @param {string | Uint8Array} payload
 * @returns {any}
 */
function decodeBuiltIn(codec, payload) {
  switch (codec) {
    case JSON_TEXT:
      return decodeJson(payload);
    case TEXT:
      return typeof payload === 'string' ? payload : bufferOf(payload).toString();
    case MSGPACK:
      return decodeMsgpack(typeof payload === 'string' ? payload : bufferOf(payload));
    case BYTES:
      return typeof payload === 'string' ? Buffer.from(payload) : bufferOf(payload);
    default:
      return undefined;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Buffer} the same memory
 */
function bufferOf(bytes) {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @type {CacheCodec} */
const json = {
  name: 'json',
  custom: false,
  encode: (value, what) => encodeSimple(value) ?? { codec: JSON_TEXT, payload: encodeJson(value, what) },
  decode: decodeBuiltIn,
};

/** @type {CacheCodec} */
const msgpack = {
  name: 'msgpack',
  custom: false,
  encode(value, what) {
    const simple = encodeSimple(value);
    if (simple !== undefined) return simple;
    const payload = encodeMsgpack(value, what);
    return { codec: typeof payload === 'string' ? JSON_TEXT : MSGPACK, payload };
  },
  decode: decodeBuiltIn,
};

/**
 * A codec of the application sees every value, strings and bytes too: it may be there to encrypt or to compress.
 * @param {import('../../../types').Codec} codec
 * @returns {CacheCodec}
 */
function customCodec(codec) {
  const { name } = codec;
  return {
    name,
    custom: true,
    encode(value, what) {
      let payload;
      try {
        payload = codec.encode(value);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new TypeError(`${what}: the codec '${name}' cannot hold it: ${reason}`, { cause: error });
      }
      if (types.isUint8Array(payload)) return { codec: CUSTOM, payload };
      if (typeof payload === 'string' && /** @type {any} */ (payload).isWellFormed()) return { codec: CUSTOM, payload };
      const got = typeof payload === 'string' ? 'a string with half a surrogate pair' : describe(payload);
      throw new TypeError(`${what}: encode() of the codec '${name}' must return a Buffer or a string, got ${got}`);
    },
    decode(number, payload) {
      if (number !== CUSTOM) return decodeBuiltIn(number, payload);
      try {
        return codec.decode(typeof payload === 'string' ? Buffer.from(payload) : bufferOf(payload));
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * @param {any} [option] `codec` of createCache
 * @returns {CacheCodec}
 */
function createCodec(option = 'json') {
  if (option === 'json') return json;
  if (option === 'msgpack') {
    requireMsgpack();
    return msgpack;
  }
  if (typeof option !== 'object' || option === null) {
    throw invalid('codec', "'json', 'msgpack' or an object { name, encode, decode }", option);
  }
  if (typeof option.name !== 'string' || option.name === '') {
    throw invalid('codec.name', 'a string that is not empty', option.name);
  }
  for (const method of ['encode', 'decode']) {
    if (typeof option[method] !== 'function') throw invalid(`codec.${method}`, 'a function', option[method]);
  }
  return customCodec(option);
}

/**
 * The same payload, out of reach of whoever holds the value.
 * @param {Encoded} encoded
 * @returns {Encoded}
 */
function detached({ codec, payload }) {
  return { codec, payload: typeof payload === 'string' ? payload : Buffer.from(payload) };
}

module.exports = { createCodec, detached, BYTES, JSON_TEXT, MSGPACK, TEXT, CUSTOM };
