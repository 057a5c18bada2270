'use strict';
// MessagePack by msgpackr, which the application installs. Objects are records: their keys stand once per shape, in front
// of the payload, so that every entry can be read on its own and a reader compiles each set of shapes once:
//
//     u32 BE  length of the shapes (0: none)
//     JSON    the shapes: an array of arrays of keys
//     bytes   the value; its records refer to the shapes by number
const { CacheError } = require('../../errors');
const { describe } = require('../../options/invalid');
const { encodeJson } = require('./json');
const { isRefusal, textOf } = require('./lost');
const { isPlain, Rebuilder } = require('./plain');
const { BoundedMap } = require('../../util/bounded-map');

/** @typedef {typeof import('msgpackr')} Library */

// msgpackr's numbers for shared records are one byte; what is more is defined inside the value.
const MAX_SHAPES = 32;
// Readers kept, of the last sets of shapes. A set with many keys is most likely a dictionary, and never comes again.
const MAX_READERS = 256;
const MAX_KNOWN_SHAPES = 2048;

const MAX_BUFFER = 1024 * 1024;
// msgpackr's flag: the next pack() may write over what this one gave.
const RESET_BUFFER_MODE = 1024;

const OPTIONS = { useRecords: true, mapsAsObjects: false, moreTypes: true, copyBuffers: true };

/** @type {Library | null | undefined} null: it is not installed */
let library;

/** @returns {Library | null} */
function load() {
  if (library === undefined) {
    try {
      library = /** @type {Library} */ (require('msgpackr'));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
      library = null;
    }
  }
  return library;
}

/** Whoever configures the codec learns at once what is missing. */
function requireMsgpack() {
  if (load() === null) {
    throw new CacheError('MISSING_PACKAGE', "codec: 'msgpack' needs the package msgpackr: npm install msgpackr");
  }
}

/** @type {any} */
let packer;

/**
 * @param {unknown} value
 * @returns {Buffer}
 */
function pack(value) {
  if (packer === undefined) {
    const { Packr } = /** @type {Library} */ (load());
    packer = new Packr({
      ...OPTIONS,
      structures: [],
      maxSharedStructures: MAX_SHAPES,
    });
  }
  // Shapes that this value does not have are not its business.
  packer.structures = [];
  // The body stays in the packer's own buffer: it is copied below.
  const body = packer.pack(value, RESET_BUFFER_MODE);
  const { structures } = packer;
  const shapes = structures.length === 0 ? '' : JSON.stringify(structures);
  const length = Buffer.byteLength(shapes);
  const payload = Buffer.allocUnsafe(4 + length + body.length);
  payload.writeUInt32BE(length, 0);
  if (length > 0) payload.write(shapes, 4);
  payload.set(body, 4 + length);
  // It would keep its buffer at the size of the largest value for ever.
  if (body.length > MAX_BUFFER) packer.useBuffer(Buffer.allocUnsafeSlow(8192));
  return payload;
}

/** @type {import('../../util/bounded-map').BoundedMapOf<any>} by the shapes that they know */
const readers = new BoundedMap(MAX_READERS);

/**
 * @param {string} shapes JSON, one character per byte
 * @returns {any}
 */
function readerOf(shapes) {
  const known = readers.get(shapes);
  if (known !== undefined) return known;
  const reader = createReader(shapes);
  if (shapes.length <= MAX_KNOWN_SHAPES) readers.set(shapes, reader);
  return reader;
}

/** @param {string} shapes */
function createReader(shapes) {
  const structures = shapes === '' ? [] : JSON.parse(Buffer.from(shapes, 'latin1').toString());
  if (!Array.isArray(structures) || structures.length > MAX_SHAPES) throw new TypeError('shapes: not ours');
  for (const keys of structures) {
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string' && key !== '__proto__')) {
      throw new TypeError('shapes: not ours');
    }
    // A payload that defines the number anew must not change what the next one reads.
    /** @type {any} */ (keys).isShared = true;
  }
  const { Unpackr } = /** @type {Library} */ (load());
  // Without `structuredClone: false` a payload could hold references, and so a cycle.
  return new Unpackr({ ...OPTIONS, structures, structuredClone: false });
}

/**
 * @param {unknown} value
 * @param {string} what it is, for the error
 * @returns {Buffer | string} text: JSON, for the few values that only JSON holds exactly, or much faster
 */
function encodeMsgpack(value, what) {
  try {
    return encodeValue(value, what);
  } catch (error) {
    if (isRefusal(error, what)) throw error;
    // What a getter or a toJSON() of the value has thrown.
    throw new TypeError(`${what}: MessagePack cannot hold it: ${textOf(error)}`, { cause: error });
  }
}

/**
 * @param {unknown} value
 * @param {string} what
 */
function encodeValue(value, what) {
  if (isPlain(value)) return pack(value);
  const rebuilder = new Rebuilder(what);
  const rebuilt = rebuilder.rebuild(value);
  // What its toJSON() gives, as of a value that is not there.
  if (rebuilt === undefined) throw new TypeError(`${what}: MessagePack cannot hold ${describe(value)}`);
  const { beyondMsgpack, beyondJson, hasDictionary } = rebuilder;
  if (beyondJson === undefined && (hasDictionary || beyondMsgpack !== undefined)) return encodeJson(rebuilt, what);
  if (beyondMsgpack === undefined) return pack(rebuilt);
  throw new TypeError(`${what}: MessagePack cannot hold ${beyondMsgpack}; JSON could, but not ${beyondJson}`);
}

/**
 * @param {Buffer | string} payload
 * @returns {any} undefined: it is not ours, or msgpackr is not installed
 */
function decodeMsgpack(payload) {
  if (typeof payload === 'string' || payload.length < 5 || load() === null) return undefined;
  const start = 4 + payload.readUInt32BE(0);
  if (start >= payload.length) return undefined;
  try {
    return readerOf(payload.toString('latin1', 4, start)).unpack(payload, { start });
  } catch {
    return undefined;
  }
}

module.exports = { encodeMsgpack, decodeMsgpack, requireMsgpack };
