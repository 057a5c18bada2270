'use strict';
// Session ids: what may be one, and what stands for it in the key.
const crypto = require('node:crypto');
const { invalid } = require('../../options/invalid');

/**
 * @param {unknown} id
 * @returns {string} the same
 * @throws {TypeError}
 */
function checkId(id) {
  if (typeof id !== 'string' || id === '') throw invalid('session id', 'a string that is not empty', id);
  // Encoded as UTF-8, all lone surrogates are the same: two ids would be one key.
  if (!(/** @type {any} */ (id).isWellFormed())) throw invalid('session id', 'well-formed Unicode', id);
  return id;
}

// From Node 20.12 on. Objects of createHash cost the garbage collector several times what the hash does.
const { hash } = /** @type {any} */ (crypto);

/**
 * SHA-256 of an id, 43 characters of base64url. Ids have at least 128 random bits, so that nothing slower is needed.
 * @param {string} id
 * @returns {string}
 */
function hashId(id) {
  if (hash !== undefined) return hash('sha256', id, 'base64url');
  return crypto.createHash('sha256').update(id, 'utf8').digest('base64url');
}

module.exports = { checkId, hashId };
