'use strict';
// Decoded values of what the memory tier holds, so that a hit need not decode: with share 'frozen' the object that all
// get, with 'copy' a template that each gets a copy of. Found by key, valid for one fill: the native tier compares.
const { JSON_TEXT, MSGPACK } = require('./codecs');
const { copyOf, planCopy } = require('./copy');
const { deepFreeze } = require('./freeze');
const { heapSizeOf } = require('../store/heap-size');

/**
 * @typedef {import('../store/decoded-values').Decoded & { value: any }} Kept value: frozen, or the plan of a copy
 */

class Objects {
  #codec;
  #frozen;
  #room;
  /** @type {Map<string, Kept>} */
  #kept = new Map();

  /**
   * @param {import('./codecs').CacheCodec} codec
   * @param {'copy' | 'frozen'} share
   * @param {import('../store/decoded-values').DecodedValuesInstance} room
   */
  constructor(codec, share, room) {
    this.#codec = codec;
    this.#frozen = share === 'frozen';
    this.#room = room;
  }

  /**
   * @param {string} key
   * @returns {Kept | undefined}
   */
  of(key) {
    const kept = this.#kept.get(key);
    if (kept !== undefined) kept.used = true;
    return kept;
  }

  /**
   * The value of one that is kept, for one caller.
   * @param {Kept} kept
   */
  valueOf(kept) {
    return this.#frozen ? kept.value : copyOf(kept.value);
  }

  /**
   * The value of a hit, for one caller; undefined when it cannot be read.
   * @param {string} key
   * @param {string | import('../store/tiered-store').Hit} hit
   * @param {boolean} fromMemory then it is worth keeping
   */
  decode(key, hit, fromMemory) {
    if (typeof hit === 'string') return hit;
    const known = this.#kept.get(key);
    if (known !== undefined && known.fill === hit.fill) return this.valueOf(known);
    const value = this.#codec.decode(hit.codec, hit.payload);
    if (value === undefined || typeof value !== 'object' || value === null) return value;
    if (this.#frozen) deepFreeze(value);
    if (!fromMemory) return value;
    const kept = this.#frozen ? value : planCopy(value, this.#codec.custom);
    if (kept === undefined) return value;
    this.#keep(key, hit, kept, heapSizeOf(value));
    return this.#frozen ? value : copyOf(kept);
  }

  /**
   * The value of a payload from Redis: a string is JSON, a Buffer MessagePack.
   * @param {string | Buffer} payload
   */
  decodePlain(payload) {
    const value = this.#codec.decode(typeof payload === 'string' ? JSON_TEXT : MSGPACK, payload);
    return this.#frozen && value !== undefined ? deepFreeze(value) : value;
  }

  /**
   * What a loader returned, for those who share the load.
   * @param {import('./codecs').Encoded} encoded
   */
  decodeShared({ codec, payload }) {
    const value = this.#codec.decode(codec, typeof payload === 'string' ? payload : Buffer.from(payload));
    return this.#frozen ? deepFreeze(value) : value;
  }

  get frozen() {
    return this.#frozen;
  }

  /** @param {string} key */
  drop(key) {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#room.delete(kept);
  }

  /**
   * For the room: one of them has left.
   * @param {Kept} kept
   */
  dropped({ key }) {
    this.#kept.delete(key);
  }

  clear() {
    for (const kept of this.#kept.values()) this.#room.delete(kept);
    this.#kept.clear();
  }

  /**
   * @param {string} key
   * @param {import('../store/tiered-store').Hit} hit
   * @param {any} value frozen, or the plan of a copy
   * @param {number} size of the value
   */
  #keep(key, { fill, token }, value, size) {
    this.drop(key);
    const kept = { key, fill, token, size, used: false, holder: this, value };
    if (this.#room.add(kept)) this.#kept.set(key, kept);
  }
}

/** @typedef {Objects} ObjectsInstance */

module.exports = { Objects };
