'use strict';
// The stored forms of a session; each can be touched without being sent again. json: the usual one. serialized: with a
// serializer of the user's. sealed: encrypted.
const { createSealer } = require('../../storage/encryption');
const { jsonForm } = require('./json');
const { createSealedForm } = require('./sealed');
const { createSerializedForm } = require('./serialized');

/**
 * @typedef {object} Form
 * @property {boolean} binary whether records are bytes
 * @property {import('../../storage/scripts').Patch} patch of the expiry
 * @property {(id: string, session: any) => import('./json').Encoded | Promise<import('./json').Encoded>} encode
 *   throws what the serializer throws. The session is read before it returns
 * @property {(id: string, value: any) => import('./json').Decoded | undefined | Promise<import('./json').Decoded | undefined>} decode
 *   undefined, or throws: it is none
 * @property {(id: string, cookie: any) => string | Buffer} expiry what patch puts there
 */

/**
 * @param {{ keys?: unknown, serializer?: { parse: (text: string) => any, stringify: (session: any) => any } }} options
 * @returns {Form}
 */
function createForm({ keys, serializer }) {
  // Methods of the serializer's own object: they may use `this`.
  const bound = serializer && {
    parse: (/** @type {string} */ text) => serializer.parse(text),
    stringify: (/** @type {any} */ session) => serializer.stringify(session),
  };
  if (keys !== undefined) return createSealedForm(createSealer(keys), bound ?? JSON);
  return bound === undefined ? jsonForm : createSerializedForm(bound);
}

module.exports = { createForm };
