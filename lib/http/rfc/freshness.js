'use strict';
// How long a response is fresh, how old it is, and for which response a handler said so.
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2

const { deltaSeconds, parseCacheControl } = require('./cache-control');
const { parseHttpDate } = require('./http-date');
const { parseTargeted } = require('./targeted-field');

/** @typedef {import('../serve/response-head').Head} ResponseHead */
/** @typedef {import('./cache-control').Directives} Directives */

// https://www.rfc-editor.org/rfc/rfc9110.html#section-15.1
const HEURISTICALLY_CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.2: "a typical setting of this fraction might be 10%"
const HEURISTIC_SHARE = 0.1;
const MAX_HEURISTIC_MS = 24 * 60 * 60 * 1000;
// Fields that say it, besides targeted ones.
const EXPLICIT = new Set(['cache-control', 'expires']);

/**
 * The directives that count for this cache.
 * @param {ResponseHead} head
 * @param {readonly string[]} targets targeted fields, the most specific first
 * @returns {{ directives: Directives, targeted: boolean }}
 */
function directivesOf(head, targets) {
  for (const target of targets) {
    const field = head.get(target);
    // https://www.rfc-editor.org/rfc/rfc9213.html#section-2.2: one that is invalid or empty is ignored.
    const directives = field === undefined ? undefined : parseTargeted(field);
    if (directives !== undefined) return { directives, targeted: true };
  }
  return { directives: parseCacheControl(head.get('cache-control')), targeted: false };
}

/**
 * @param {ResponseHead} head
 * @param {number} now
 */
function dateOf(head, now) {
  const [field] = head.lines('date');
  if (field === undefined) return now;
  const date = parseHttpDate(field, now);
  return Number.isNaN(date) ? now : date;
}

/**
 * What the response says of its own lifetime, in milliseconds; undefined when it does not say. What it says wrongly
 * counts as stale. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.1
 * @param {ResponseHead} head
 * @param {{ directives: Directives, targeted: boolean }} control
 * @param {number} now
 * @returns {number | undefined}
 */
function explicitLifetime(head, { directives, targeted }, now) {
  const seconds = deltaSeconds(directives.get('s-maxage')) ?? deltaSeconds(directives.get('max-age'));
  if (seconds !== undefined) return Number.isNaN(seconds) ? 0 : seconds * 1000;
  const expires = targeted ? [] : head.lines('expires');
  if (expires.length === 0) return undefined;
  if (expires.length > 1) return 0;
  // Against its own Date, not our clock.
  const lifetime = parseHttpDate(expires[0], now) - dateOf(head, now);
  return Number.isNaN(lifetime) ? 0 : Math.max(0, lifetime);
}

/**
 * What Last-Modified suggests, in milliseconds; 0 when nothing may be guessed.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.2
 * @param {ResponseHead} head
 * @param {Directives} directives
 * @param {number} now
 */
function heuristicLifetime(head, directives, now) {
  if (!HEURISTICALLY_CACHEABLE.has(head.status) && !directives.has('public')) return 0;
  const since = dateOf(head, now) - parseHttpDate(head.get('last-modified') ?? '', now);
  return since > 0 ? Math.min(since * HEURISTIC_SHARE, MAX_HEURISTIC_MS) : 0;
}

/**
 * How old the response was when its head reached us, in milliseconds.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.3
 * @param {ResponseHead} head
 * @param {number} delay since the request was forwarded, ms
 * @param {number} now
 */
function initialAge(head, delay, now) {
  // The first member of the first line; anything but digits is ignored.
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.1
  const value = deltaSeconds((head.lines('age')[0] ?? '').split(',')[0].trim());
  const corrected = (value === undefined || Number.isNaN(value) ? 0 : value) * 1000 + delay;
  // Date has no more than seconds.
  const apparent = Math.floor(now / 1000) * 1000 - Math.floor(dateOf(head, now) / 1000) * 1000;
  return Math.max(corrected, apparent, 0);
}

/**
 * For which answer a handler declares its freshness. A page that sets Cache-Control and then fails did not mean its error:
 * frameworks send the error with the fields that are set already, and it would be everybody's for as long.
 * @param {import('node:http').ServerResponse} res
 * @param {readonly string[]} targets targeted fields, in lower case
 * @returns {{ isOf: (head: ResponseHead) => boolean }} whether what a head says of freshness was said
 *   when the status was the kind that it is
 */
function watchDeclared(res, targets) {
  const { setHeader } = res;
  let status = 0;
  /** @this {import('node:http').ServerResponse} @param {[string, any]} args @returns {any} */
  function watchedSetHeader(...args) {
    const id = String(args[0]).toLowerCase();
    if (EXPLICIT.has(id) || targets.includes(id)) status = this.statusCode;
    return Reflect.apply(setHeader, this, args);
  }
  res.setHeader = watchedSetHeader;
  return {
    isOf(head) {
      if (head.status < 500 || status >= 500) return true;
      return ![...EXPLICIT, ...targets].some((id) => head.has(id));
    },
  };
}

module.exports = { directivesOf, dateOf, explicitLifetime, heuristicLifetime, initialAge, watchDeclared };
