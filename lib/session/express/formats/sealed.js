'use strict';
// The stored form of an encrypted session: bytes, sealed in two parts, so that touch() can replace the first alone.
//
//   TcS1 | revision (16) | sealed expiry | sealed session
//
// Every byte is authenticated, and bound to the id of the session: the revision as part of the place of the second part.
// What is stored in any other form is no session.
const { definePatch } = require('../../storage/scripts');
const { OVERHEAD } = require('../../storage/encryption');
const { EXPIRY_WIDTH, expiryField, parseExpiryField } = require('./expiry');
const { nextRevision, REVISION_WIDTH } = require('./revision');
const { isObject } = require('./json');
const { withExpiry } = require('./serialized');

const MAGIC = Buffer.from('TcS1', 'latin1');
const MARK_WIDTH = MAGIC.length + REVISION_WIDTH;
const PATCH = definePatch('TcS1', MARK_WIDTH);
const BODY_OFFSET = MARK_WIDTH + OVERHEAD + EXPIRY_WIDTH;

/**
 * @param {import('../../storage/encryption').SealerInstance} sealer
 * @param {{ parse: (text: string) => any, stringify: (session: any) => any }} serializer
 */
function createSealedForm(sealer, { parse, stringify }) {
  const expiryPlace = (/** @type {string} */ id) => `session expiry ${id}`;
  const bodyPlace = (/** @type {string} */ id, /** @type {string} */ revision) => `session ${revision} ${id}`;

  /**
   * @param {string} id
   * @param {string} field
   * @param {any} text
   * @returns {import('./json').Encoded}
   */
  function assemble(id, field, text) {
    if (typeof text !== 'string') throw new TypeError(`serializer.stringify: expected a string, got ${typeof text}`);
    const revision = nextRevision();
    const mark = Buffer.concat([MAGIC, Buffer.from(revision, 'latin1')]);
    const parts = [mark, sealer.seal(field, expiryPlace(id)), sealer.seal(text, bodyPlace(id, revision))];
    return { value: Buffer.concat(parts), mark, whole: false };
  }

  return {
    binary: true,
    patch: PATCH,

    /**
     * @param {string} id
     * @param {any} session
     * @returns {import('./json').Encoded | Promise<import('./json').Encoded>}
     */
    encode(id, session) {
      const field = expiryField(isObject(session.cookie) ? session.cookie : {});
      const text = stringify(session);
      return typeof text?.then === 'function'
        ? text.then((/** @type {any} */ late) => assemble(id, field, late))
        : assemble(id, field, text);
    },

    /**
     * @param {string} id
     * @param {Buffer} bytes
     * @returns {import('./json').Decoded | undefined | Promise<import('./json').Decoded | undefined>}
     */
    decode(id, bytes) {
      if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
      const revision = bytes.toString('latin1', MAGIC.length, MARK_WIDTH);
      const field = sealer.open(bytes.subarray(MARK_WIDTH, BODY_OFFSET), expiryPlace(id));
      const text = sealer.open(bytes.subarray(BODY_OFFSET), bodyPlace(id, revision));
      if (field === undefined || text === undefined) return undefined;
      const expiry = parseExpiryField(field.toString('latin1'));
      const finish = (/** @type {any} */ session) =>
        isObject(session)
          ? { session: withExpiry(session, expiry), mark: bytes.subarray(0, MARK_WIDTH), whole: false }
          : undefined;
      const session = parse(text.toString('utf8'));
      return typeof session?.then === 'function' ? session.then(finish) : finish(session);
    },

    /**
     * @param {string} id
     * @param {any} cookie
     */
    expiry(id, cookie) {
      return sealer.seal(expiryField(cookie), expiryPlace(id));
    },
  };
}

module.exports = { createSealedForm };
