'use strict';
// The stored forms of a session; each can be touched without being sent again. json: the usual one. serialized: with a
// serializer of the user's. sealed: encrypted.
const { createSealer } = require('../../storage/encryption');
const { jsonForm } = require('./json');
const { createSealedForm } = require('./sealed');
const { createSerializedForm } = require('./serialized');

/** @typedef {import('../../types').Form} Form */

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
