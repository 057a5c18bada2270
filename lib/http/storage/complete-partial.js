'use strict';
// Completing a stored part: the handler is asked for the rest alone, and both are put together.
// https://www.rfc-editor.org/rfc/rfc9111.html#section-3.4

const { partOf } = require('../rfc/range');

/** @typedef {import('../serve/response-head').Head} Head */
/** @typedef {import('./stored-response').Usable} Usable */

/**
 * The request fields that ask for what is missing; undefined when more than an end is missing.
 * @param {Usable} stored
 * @returns {Record<string, string> | undefined}
 */
function conditionsForRest({ payload, metadata: { part, etag } }) {
  if (part === undefined || part[0] !== 0 || payload.length === 0) return undefined;
  /** @type {Record<string, string>} */
  const conditions = { Range: `bytes=${payload.length}-` };
  // With a strong validator, whatever is not the rest of the same representation comes as a whole.
  if (etag.startsWith('"')) conditions['If-Range'] = etag;
  return conditions;
}

/**
 * Whether a response is the rest of what is stored: only a strong validator can say so.
 * @param {Usable} stored
 * @param {Head} head
 */
function isRestOf({ payload, metadata }, head) {
  if (head.status !== 206 || !metadata.etag.startsWith('"') || head.get('etag') !== metadata.etag) return false;
  const part = partOf(head.get('content-range'));
  return part !== undefined && part[0] === payload.length && part[1] === metadata.part?.[1];
}

module.exports = { conditionsForRest, isRestOf };
