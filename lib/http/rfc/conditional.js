'use strict';
// Conditions: those of a client, judged against a response, and our own, by which what is stored is revalidated.
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3

const { parseHttpDate } = require('./http-date');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */

// https://www.rfc-editor.org/rfc/rfc9110.html#section-8.8.3; tags may hold commas, so the list is matched, not split.
const ENTITY_TAGS = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;
// What asks for less than the whole response. https://www.rfc-editor.org/rfc/rfc9110.html#section-13.1
const CONDITIONS = new Set(['if-none-match', 'if-modified-since', 'if-range', 'range']);

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
 * @param {IncomingMessage} req
 * @param {{ status: number, etag: string, modified: string, date: string }} response modified, date: '' when there is none
 * @param {boolean} [lenient] a date of the client is believed where the response has none that it came from
 * @returns {boolean}
 */
function isNotModified({ headers }, { status, etag, modified, date }, lenient = false) {
  const tags = headers['if-none-match'];
  const since = headers['if-modified-since'];
  if (tags === undefined && since === undefined) return false;
  // https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.1
  if (status < 200 || status > 299) return false;
  // If-None-Match wins. https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.2
  if (tags !== undefined) return etag !== '' && matchesEtag(tags, etag);
  const limit = parseHttpDate(/** @type {string} */ (since));
  if (modified === '' && lenient) return !Number.isNaN(limit);
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.2. Comparisons with NaN are false: an invalid date on either
  // side means "send it".
  return parseHttpDate(modified || date) <= limit;
}

/**
 * Gives the handler a request without the client's conditions, and with others in their place. The objects are
 * replaced, not changed: loggers and the client's own conditions still need the old ones.
 * @param {IncomingMessage} req
 * @param {Record<string, string>} conditions name → value
 */
function replaceConditions(req, conditions) {
  /** @type {import('node:http').IncomingHttpHeaders} */
  const headers = {};
  for (const [name, value] of Object.entries(req.headers)) if (!CONDITIONS.has(name)) headers[name] = value;
  /** @type {string[]} */
  const raw = [];
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    if (!CONDITIONS.has(req.rawHeaders[at].toLowerCase())) raw.push(req.rawHeaders[at], req.rawHeaders[at + 1]);
  }
  for (const [name, value] of Object.entries(conditions)) {
    headers[name.toLowerCase()] = value;
    raw.push(name, value);
  }
  req.headers = headers;
  req.rawHeaders = raw;
}

/**
 * Shows the handler one coding, as what is stored is selected by it.
 * @param {IncomingMessage} req
 * @param {string} coding
 */
function replaceCoding(req, coding) {
  const raw = [...req.rawHeaders];
  for (let at = 0; at < raw.length; at += 2) if (raw[at].toLowerCase() === 'accept-encoding') raw[at + 1] = coding;
  req.headers = { ...req.headers, 'accept-encoding': coding };
  req.rawHeaders = raw;
}

/**
 * The conditions by which a stored response is revalidated. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.1
 * @param {import('../storage/stored-response').Metadata} metadata
 * @returns {Record<string, string>}
 */
function revalidationConditions({ etag, modified, plainEtag = etag }) {
  /** @type {Record<string, string>} */
  const conditions = {};
  if (plainEtag !== '') conditions['If-None-Match'] = plainEtag;
  if (modified !== '') conditions['If-Modified-Since'] = modified;
  return conditions;
}

/** @param {IncomingMessage} req */
function hasConditions({ headers }) {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

module.exports = {
  isNotModified,
  matchesEtag,
  replaceConditions,
  replaceCoding,
  revalidationConditions,
  hasConditions,
};
