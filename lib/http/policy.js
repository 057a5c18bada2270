'use strict';
// May this request be answered from the cache, may this response be kept, and for how long.

const { parseCacheControl, deltaSeconds, parseTokens } = require('./cache-control');
const { parseHttpDate } = require('./http-date');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('./response-head').Head} ResponseHead */

// Statuses that say something lasting about the page, and are kept when the app says for how long. Errors, partial
// content (206) and answers to somebody's condition (304) are never kept.
const STORABLE_WITH_EXPLICIT_FRESHNESS = new Set([200, 203, 204, 300, 301, 308, 404, 410]);
// The only request field by which a stored answer may vary, for now.
const SUPPORTED_VARY = new Set(['accept-encoding']);

/**
 * Whether the cache may have anything to do with a GET or HEAD, be it a hit or a store.
 * @param {IncomingMessage} req
 * @returns {boolean}
 */
function isRequestCacheable(req) {
  const { headers } = req;
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.5
  if (headers.authorization !== undefined) return false;
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.3 (parts are not kept yet)
  if (headers.range !== undefined) return false;
  // Conditions that only the origin can judge. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.2
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return false;
  // A body is no part of the key, and a handler may read it. https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.1
  if (headers['transfer-encoding'] !== undefined) return false;
  const length = headers['content-length'];
  return length === undefined || length === '0';
}

/**
 * Whether the answer to this request may be kept.
 * @param {IncomingMessage} req
 * @returns {boolean}
 */
function isAnswerKept(req) {
  // A HEAD has no body to keep.
  if (req.method !== 'GET') return false;
  const field = req.headers['cache-control'];
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1.5
  return field === undefined || !parseCacheControl(field).has('no-store');
}

/**
 * Whether others may wait for the answer to this request: it must promise to be a whole one.
 * @param {IncomingMessage} req
 * @returns {boolean}
 */
function isAnswerShareable(req) {
  const { headers } = req;
  return isAnswerKept(req) && headers['if-none-match'] === undefined && headers['if-modified-since'] === undefined;
}

/**
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-3
 * @param {ResponseHead} head
 * @param {IncomingMessage} req
 * @returns {boolean} whether it may be kept at all; for how long is freshness()'s question
 */
function isResponseStorable(head, req) {
  if (!STORABLE_WITH_EXPLICIT_FRESHNESS.has(head.status)) return false;
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-7.3
  if (head.has('set-cookie')) return false;
  const directives = parseCacheControl(head.get('cache-control'));
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.5
  if (directives.has('no-store')) return false;
  // Qualified or not: private="field" counts as private. https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.7
  if (directives.has('private')) return false;
  // Without revalidation nothing of it could be used. https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.4
  if (directives.has('no-cache')) return false;
  // Whoever sends cookies may get a page of their own; only an explicit word of the app says otherwise.
  if (req.headers.cookie !== undefined && !directives.has('public') && !directives.has('s-maxage')) return false;
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1
  if (!parseTokens(head.get('vary')).every((name) => SUPPORTED_VARY.has(name))) return false;
  // A stream of events has no end, and its subscribers no use for one another's.
  return !/^text\/event-stream\b/i.test(head.get('content-type') ?? '');
}

/**
 * How long the response says that it is fresh, in seconds; undefined when it does not say. What it says wrongly counts
 * as stale. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.1
 * @param {ResponseHead} head
 * @param {number} now
 * @returns {number | undefined}
 */
function explicitLifetime(head, now) {
  const directives = parseCacheControl(head.get('cache-control'));
  const seconds = deltaSeconds(directives.get('s-maxage')) ?? deltaSeconds(directives.get('max-age'));
  if (seconds !== undefined) return Number.isNaN(seconds) ? 0 : seconds;
  const expires = head.lines('expires');
  if (expires.length === 0) return undefined;
  if (expires.length > 1) return 0;
  // Against its own Date, not our clock. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.1
  const lifetime = (parseHttpDate(expires[0], now) - dateOf(head, now)) / 1000;
  return Number.isNaN(lifetime) ? 0 : Math.max(0, lifetime);
}

/**
 * @param {ResponseHead} head
 * @param {number} now
 */
function dateOf(head, now) {
  const date = parseHttpDate(head.lines('date')[0] ?? '', now);
  return Number.isNaN(date) ? now : date;
}

/**
 * How old the response is when it reaches us, in whole seconds.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.3
 * @param {ResponseHead} head
 * @param {number} now
 * @returns {number}
 */
function initialAge(head, now) {
  // The first member of the first line; anything but digits is ignored.
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.1
  const first = (head.lines('age')[0] ?? '').split(',')[0].trim();
  const age = deltaSeconds(first);
  const apparent = Math.floor(now / 1000) - Math.floor(dateOf(head, now) / 1000);
  return Math.max(0, apparent, age === undefined || Number.isNaN(age) ? 0 : age);
}

/**
 * @param {ResponseHead} head
 * @param {number | undefined} ttlMs the `ttl` option
 * @param {number} now
 * @returns {{ ttlMs: number, age: number }} what is left of its lifetime (0: not fresh), and its age in seconds
 */
function freshness(head, ttlMs, now) {
  const age = initialAge(head, now);
  const explicit = explicitLifetime(head, now);
  const lifetimeMs = explicit !== undefined ? explicit * 1000 : head.status === 200 ? (ttlMs ?? 0) : 0;
  return { ttlMs: Math.max(0, lifetimeMs - age * 1000), age };
}

/**
 * The request fields that selected this response, with their values: another request must have the same ones.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1
 * @param {ResponseHead} head
 * @param {IncomingMessage} req
 * @returns {Array<[string, string]>}
 */
function selectingFields(head, req) {
  return [...new Set(parseTokens(head.get('vary')))].map((name) => [name, normalised(req, name)]);
}

/**
 * @param {IncomingMessage} req
 * @param {string} name
 */
function normalised(req, name) {
  return parseTokens(/** @type {string | undefined} */ (req.headers[name])).join(',');
}

/**
 * @param {Array<[string, string]>} selecting
 * @param {IncomingMessage} req
 * @returns {boolean}
 */
function isSelectedBy(selecting, req) {
  for (const [name, value] of selecting) if (normalised(req, name) !== value) return false;
  return true;
}

module.exports = {
  isRequestCacheable,
  isAnswerKept,
  isAnswerShareable,
  isResponseStorable,
  explicitLifetime,
  initialAge,
  freshness,
  selectingFields,
  isSelectedBy,
};
