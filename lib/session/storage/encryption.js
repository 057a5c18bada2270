'use strict';
// Encryption at rest: AES-256-GCM. What is sealed opens only under one of the keys, and only in the place for which it was
// sealed: the place (which session, which part of it) is bound as associated data.
//
//   key id (4) | nonce (12) | tag (16) | ciphertext
const { createCipheriv, createDecipheriv, createHash, randomFillSync } = require('node:crypto');
const { describe } = require('../../options/invalid');

const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What sealing adds. */
const OVERHEAD = KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;
const ALGORITHM = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES };
const EXPECTED = '32 bytes: a Buffer, 64 hexadecimal digits, or base64';

// Random bytes are dear in small portions.
const pool = Buffer.alloc(NONCE_BYTES * 256);
let used = pool.length;
function nextNonce() {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += NONCE_BYTES));
}

/**
 * The error never shows what was given: it is a secret.
 * @param {unknown} key
 * @param {string} name
 * @returns {Buffer}
 */
function parseKey(key, name) {
  let bytes;
  if (key instanceof Uint8Array) bytes = Buffer.from(key);
  else if (typeof key === 'string' && /^[0-9a-f]{64}$/i.test(key)) bytes = Buffer.from(key, 'hex');
  else if (typeof key === 'string' && /^[\w+/-]+={0,2}$/.test(key)) bytes = Buffer.from(key, 'base64');
  if (bytes === undefined) {
    throw new TypeError(
      `${name}: expected ${EXPECTED}, got ${typeof key === 'string' ? 'another string' : typeof key}`,
    );
  }
  if (bytes.length !== KEY_BYTES) throw new TypeError(`${name}: expected ${EXPECTED}, got ${bytes.length} bytes`);
  return bytes;
}

class Sealer {
  /** @type {Array<{ id: number, bytes: Buffer }>} */
  #keys;

  /** @param {Buffer[]} keys the newest first; use {@link createSealer} */
  constructor(keys) {
    this.#keys = keys.map((bytes) => ({
      // Says which key it is without giving anything of it away; two that share one are both tried.
      id: createHash('sha256').update('tiercel key id').update(bytes).digest().readUInt32BE(0),
      bytes,
    }));
  }

  /**
   * With the newest key.
   * @param {string | Uint8Array} plain
   * @param {string} place bound to it: open() must be given the same
   * @returns {Buffer} OVERHEAD bytes longer
   */
  seal(plain, place) {
    const { id, bytes } = this.#keys[0];
    const nonce = nextNonce();
    const cipher = createCipheriv(ALGORITHM, bytes, nonce, TAG);
    cipher.setAAD(Buffer.from(place, 'utf8'));
    const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
    const rest = cipher.final(); // empty: GCM is a stream
    const sealed = Buffer.allocUnsafe(OVERHEAD + body.length + rest.length);
    sealed.writeUInt32BE(id, 0);
    nonce.copy(sealed, KEY_ID_BYTES);
    cipher.getAuthTag().copy(sealed, KEY_ID_BYTES + NONCE_BYTES);
    body.copy(sealed, OVERHEAD);
    return sealed;
  }

  /**
   * @param {Buffer} sealed
   * @param {string} place
   * @returns {Buffer | undefined} undefined: none of the keys opens it here, or its bytes were changed
   */
  open(sealed, place) {
    if (sealed.length < OVERHEAD) return undefined;
    const id = sealed.readUInt32BE(0);
    for (const key of this.#keys) {
      if (key.id !== id) continue;
      const plain = openWith(key.bytes, sealed, place);
      if (plain !== undefined) return plain;
    }
    return undefined;
  }
}

/**
 * @param {Buffer} key
 * @param {Buffer} sealed
 * @param {string} place
 */
function openWith(key, sealed, place) {
  const nonce = sealed.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, TAG);
  decipher.setAAD(Buffer.from(place, 'utf8'));
  decipher.setAuthTag(sealed.subarray(KEY_ID_BYTES + NONCE_BYTES, OVERHEAD));
  const plain = decipher.update(sealed.subarray(OVERHEAD));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

/**
 * @param {unknown} keys the newest first
 * @param {string} name of the option, for errors
 * @returns {Sealer}
 */
function createSealer(keys, name = 'keys') {
  if (!Array.isArray(keys) || keys.length === 0) {
    // It may be a key: not shown.
    const given = typeof keys === 'string' ? 'a string' : Array.isArray(keys) ? 'an empty array' : describe(keys);
    throw new TypeError(`${name}: expected an array of keys, the newest first, got ${given}`);
  }
  return new Sealer(keys.map((key, i) => parseKey(key, `${name}[${i}]`)));
}

/** @typedef {Sealer} SealerInstance */

module.exports = { createSealer, OVERHEAD };
