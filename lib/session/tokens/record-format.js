'use strict';
// One session as a record: a head of fixed length in plain text, and its body as JSON, sealed when there are keys.
//
//   't1' or 'e1' | mark (16) | time of the last use (13 digits) | body
//
// The mark is another one with every writing, so that compare-and-set looks at the first 18 bytes alone; the time of the
// last use is changed in place. Neither can be taken for that of another session: the body is sealed together with its
// key and its mark.
const { randomFillSync } = require('node:crypto');
const { isPlainObject } = require('../../options/invalid');
const { definePatch } = require('../storage/scripts');

const PLAIN = 't1';
const SEALED = 'e1';
const MARK_BYTES = 12; // 16 characters
const MARK_END = 18;
const HEAD_END = 31;
const PLAIN_USE = definePatch(PLAIN, MARK_END);
const SEALED_USE = definePatch(SEALED, MARK_END);

/** @typedef {import('../types').Meta} Meta */

/** @typedef {Meta & { d: Record<string, any> }} Body */

/** @typedef {import('../types').Stored} Stored */

/** 13 digits until the year 2286. @param {number} time */
const digits = (time) => String(Math.floor(time)).padStart(13, '0');

// Random bytes are dear in small portions: those of this thread, and a number.
const lastMark = Buffer.alloc(MARK_BYTES);
let marks = 0;

/** 16 characters that nobody had before. Not a secret. */
function newMark() {
  if (marks === 0) randomFillSync(lastMark, 0, MARK_BYTES - 4);
  lastMark.writeUInt32BE(marks, MARK_BYTES - 4);
  marks = (marks + 1) % 2 ** 32;
  return lastMark.toString('base64url');
}

class RecordForm {
  #sealer;

  /** @param {import('../storage/encryption').SealerInstance | undefined} sealer */
  constructor(sealer) {
    this.#sealer = sealer;
  }

  /** Whether records are read as Buffers. */
  get binary() {
    return this.#sealer !== undefined;
  }

  /** The part of a record that says when it was last used. */
  get lastUse() {
    return this.binary ? SEALED_USE : PLAIN_USE;
  }

  get #begins() {
    return this.binary ? SEALED : PLAIN;
  }

  /**
   * @param {string} key
   * @param {Meta} meta
   * @param {string} data JSON of an object
   * @param {number} lastUse
   * @returns {{ value: string | Buffer, mark: string }}
   */
  encode(key, { u, g, c, e, t, l, a }, data, lastUse) {
    const mark = this.#begins + newMark();
    const head = mark + digits(lastUse);
    const text = `${JSON.stringify({ u, g, c, e, t, l, a }).slice(0, -1)},"d":${data}}`;
    if (this.#sealer === undefined) return { value: head + text, mark };
    const sealed = this.#sealer.seal(text, `${key}|${mark}`);
    return { value: Buffer.concat([Buffer.from(head, 'latin1'), sealed]), mark };
  }

  /**
   * @param {string} key
   * @param {any} value a string, or a Buffer when `binary`
   * @returns {Stored | undefined} undefined: nothing that was written here, or under none of the keys
   */
  decode(key, value) {
    if (value.length <= HEAD_END) return undefined;
    const head = typeof value === 'string' ? value.slice(0, HEAD_END) : value.toString('latin1', 0, HEAD_END);
    if (!head.startsWith(this.#begins)) return undefined;
    const mark = head.slice(0, MARK_END);
    const lastUse = Number(head.slice(MARK_END));
    const text = this.#sealer === undefined ? value.slice(HEAD_END) : this.#open(value, `${key}|${mark}`);
    if (text === undefined || !Number.isSafeInteger(lastUse)) return undefined;
    let body;
    try {
      body = JSON.parse(text);
    } catch {
      return undefined;
    }
    return isBody(body) ? { body, mark, lastUse } : undefined;
  }

  /**
   * @param {Buffer} value
   * @param {string} place
   */
  #open(value, place) {
    return this.#sealer?.open(value.subarray(HEAD_END), place)?.toString();
  }
}

/**
 * @param {any} body
 * @returns {body is Body}
 */
function isBody(body) {
  if (!isPlainObject(body) || !isPlainObject(body.d)) return false;
  const { u, g, c, e, t } = body;
  return [c, e, t].every(Number.isFinite) && typeof u === typeof g && (u === undefined || typeof u === 'string');
}

module.exports = { RecordForm, digits, newMark };
