'use strict';
// Conditions of the client, judged against a stored response.
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.2

const { parseHttpDate } = require('./http-date');

// https://www.rfc-editor.org/rfc/rfc9110.html#section-8.8.3; tags may hold commas, so the list is matched, not split.
const ENTITY_TAGS = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Weak comparison: the W/ does not matter. https://www.rfc-editor.org/rfc/rfc9110.html#section-8.8.3.2
 * @param {string} field If-None-Match
 * @param {string} etag
 * @returns {boolean}
 */
function matchesEtag(field, etag) {
  if (field === etag || field.trim() === '*') return true;
  const wanted = opaque(etag);
  return (field.match(ENTITY_TAGS) ?? []).some((tag) => opaque(tag) === wanted);
}

/** @param {string} etag */
function opaque(etag) {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

/**
 * Whether the client has this representation already: answer 304.
 * @param {import('node:http').IncomingMessage} req
 * @param {import('./stored-response').Metadata} metadata
 * @returns {boolean}
 */
function isNotModified(req, metadata) {
  const { headers } = req;
  const tags = headers['if-none-match'];
  const since = headers['if-modified-since'];
  if (tags === undefined && since === undefined) return false;
  // https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.1
  if (metadata.status < 200 || metadata.status > 299) return false;
  // If-None-Match wins. https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.2
  if (tags !== undefined) return metadata.etag !== '' && matchesEtag(tags, metadata.etag);
  // Comparisons with NaN are false: an invalid date on either side means "send it".
  return parseHttpDate(metadata.modified) <= parseHttpDate(/** @type {string} */ (since));
}

module.exports = { isNotModified, matchesEtag };
