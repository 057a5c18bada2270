'use strict';
// Policy: may this response be stored, may it be reused for this request, must it be revalidated, how old is it.
// Decides from heads alone; knows neither the cache nor the network.

const { deltaSeconds, parseCacheControl, parseTokens } = require('./cache-control');
const { directivesOf, explicitLifetime, heuristicLifetime, initialAge } = require('./freshness');
const { isTaken } = require('./vary');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('../serve/response-head').Head} ResponseHead */
/** @typedef {import('../options').Rules} Rules */

// What a stored response says of its use.
const NO_CACHE = 1;
const MUST_REVALIDATE = 2;
const FOR_AUTHORIZED = 4;
const NO_LIMITS = { revalidate: false, maxAge: Infinity, minFresh: 0, maxStale: 0 };
// Statuses whose caching requirements this cache knows. https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.3
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 414, 421, 451, 500, 501, 502, 503,
  504,
]);
// Answers that say that the handler could not reach what it speaks for. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.4
const DISCONNECTED = new Set([502, 504]);
// https://www.rfc-editor.org/rfc/rfc5861.html#section-4
const ERRORS = new Set([500, 502, 503, 504]);
// A method in a header names what the handler does, and it is no part of the key.
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
 * Why the cache must have nothing to do with a GET or HEAD, neither a hit nor a store.
 * @param {IncomingMessage} req
 * @returns {string | undefined}
 */
function bypassReason(req) {
  const { headers } = req;
  // Conditions that only the origin can judge. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.2
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return 'condition';
  // A body is no part of the key, and a handler may read it. https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.1
  if (headers['transfer-encoding'] !== undefined) return 'body';
  const length = headers['content-length'];
  if (length !== undefined && length !== '0') return 'body';
  for (const name of METHOD_OVERRIDES) if (headers[name] !== undefined) return 'method-override';
  return undefined;
}

/** @typedef {import('../types').Judgement} Judgement */

/**
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-3
 * @param {ResponseHead} head
 * @param {IncomingMessage} req
 * @param {Rules} rules
 * @param {{ now: number, delay: number, identified: boolean, vary: ReadonlySet<string> }} context identified: the key
 *   says whose answer it is. vary: the names by which it is told from others
 * @returns {Judgement}
 */
function judge(head, req, rules, { now, delay, identified, vary }) {
  const control = directivesOf(head, rules.targets);
  const { directives } = control;
  const noCache = directives.has('no-cache');
  const shared = directives.has('public') || directives.has('s-maxage');
  const mustRevalidate =
    noCache ||
    directives.has('must-revalidate') ||
    // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.8 and -5.2.2.10
    directives.has('proxy-revalidate') ||
    directives.has('s-maxage');
  const explicit = explicitLifetime(head, control, now);
  const own = explicit === undefined && head.status === 200 ? rules.ttl : undefined;
  const guessed = explicit ?? own ?? (rules.heuristics ? heuristicLifetime(head, directives, now) : 0);
  const lifetime = noCache ? 0 : guessed;
  const window = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
    const seconds = deltaSeconds(directives.get(name));
    return seconds === undefined || Number.isNaN(seconds) ? otherwise : seconds * 1000;
  };
  const judgement = {
    refused: /** @type {string | undefined} */ (undefined),
    lifetime,
    age: initialAge(head, delay, now),
    // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.4: a prohibition is stronger than a permission.
    staleWhileRevalidate: mustRevalidate ? 0 : window('stale-while-revalidate', rules.staleWhileRevalidate),
    staleIfError: mustRevalidate ? 0 : window('stale-if-error', rules.staleIfError),
    noCache,
    mustRevalidate,
    forAuthorized: shared || directives.has('must-revalidate'),
  };
  judgement.refused =
    refusedByRequest(req, directives, shared, identified, vary) ??
    refusedByHead(head, directives, rules, identified) ??
    (vary.has('accept-encoding') && !isTaken(head.get('content-encoding'), req.headers['accept-encoding'])
      ? 'coding'
      : undefined) ??
    (isUseful(head, judgement, rules) ? undefined : 'no-lifetime');
  return judgement;
}

// What judge() looks at, besides the status and targeted fields.
const JUDGED = [
  'cache-control',
  'expires',
  'date',
  'age',
  'vary',
  'set-cookie',
  'etag',
  'last-modified',
  'content-type',
  'content-encoding',
];

/**
 * Whether judge() would say the same of both.
 * @param {ResponseHead} head
 * @param {ResponseHead} other
 * @param {Rules} rules
 */
function isSameToJudge(head, other, { targets }) {
  if (head.status !== other.status) return false;
  for (const name of JUDGED) if (head.get(name) !== other.get(name)) return false;
  return targets.every((name) => head.get(name) === other.get(name));
}

/**
 * @param {IncomingMessage} req
 * @param {import('./cache-control').Directives} directives
 * @param {boolean} shared
 * @param {boolean} identified
 * @param {ReadonlySet<string>} vary
 */
function refusedByRequest(req, directives, shared, identified, vary) {
  const { headers } = req;
  if (isNoStore(req)) return 'request-no-store';
  if (identified) return undefined;
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.5
  if (headers.authorization !== undefined && !vary.has('authorization') && !shared) {
    if (!directives.has('must-revalidate')) return 'authorization';
  }
  // Whoever sends cookies may get a page of their own; only an explicit word of the app says otherwise.
  if (headers.cookie !== undefined && !vary.has('cookie') && !shared) return 'cookie';
  return undefined;
}

/**
 * @param {ResponseHead} head
 * @param {import('./cache-control').Directives} directives
 * @param {Rules} rules
 * @param {boolean} identified
 */
function refusedByHead(head, directives, rules, identified) {
  const { status } = head;
  // Interim answers, and answers to somebody's condition or range.
  if (status < 200 || status === 304 || status === 416 || (status === 206 && !rules.partial)) return 'status';
  const understood = UNDERSTOOD.has(status) || (status === 206 && rules.partial);
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.3: it overrides no-store for a status that is understood.
  if (directives.has('must-understand')) {
    if (!understood) return 'must-understand';
  } else if (directives.has('no-store')) return 'no-store';
  // Qualified or not: private="field" counts as private. https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.7
  if (directives.has('private') && !identified) return 'private';
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-7.3
  if (head.has('set-cookie') && !rules.storeSetCookie) return 'set-cookie';
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1
  if (parseTokens(head.get('vary')).includes('*')) return 'vary';
  // A stream of events has no end, and its subscribers no use for one another's.
  if (/^text\/event-stream\b/i.test(head.get('content-type') ?? '')) return 'event-stream';
  return undefined;
}

/**
 * Whether anything could ever be answered from it.
 * @param {ResponseHead} head
 * @param {Judgement} judgement
 * @param {Rules} rules
 */
function isUseful(head, { lifetime, age, staleWhileRevalidate, staleIfError, noCache }, rules) {
  if (lifetime + Math.max(staleWhileRevalidate, staleIfError) > age) return true;
  if (!noCache && lifetime === 0) return false;
  // It can be revalidated. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.1
  return rules.retain > 0 && (head.has('etag') || head.has('last-modified'));
}

/**
 * What a stored response may be used for now.
 * @typedef {'fresh' | 'stale-while-revalidate' | 'revalidate' | 'unusable'} Use
 */

/**
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4
 * @param {import('../storage/stored-response').Usable} stored
 * @param {IncomingMessage} req
 * @param {Rules} rules
 * @param {boolean} identified
 * @returns {Use}
 */
function useOf({ metadata, age, softened }, req, rules, identified) {
  const { headers } = req;
  const { life, flags } = metadata;
  // Nobody's session is to be answered by what was stored for everybody, unless the app says so.
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.5
  if (headers.authorization !== undefined && !identified && !rules.vary.includes('authorization')) {
    if (!(flags & FOR_AUTHORIZED)) return 'unusable';
  }
  const total = metadata.age + age;
  const limits = rules.requestDirectives ? requestLimits(headers['cache-control']) : NO_LIMITS;
  const fresh = !softened && !(flags & NO_CACHE) && total < life;
  if (fresh && !limits.revalidate && total <= limits.maxAge && life - total >= limits.minFresh) return 'fresh';
  if (limits.revalidate || total > limits.maxAge) return 'revalidate';
  if (softened || flags & MUST_REVALIDATE) return 'revalidate';
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1.2
  if (!fresh && total - life < limits.maxStale) return 'fresh';
  return !fresh && total < life + metadata.swr ? 'stale-while-revalidate' : 'revalidate';
}

/**
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1
 * @param {string | undefined} field
 */
function requestLimits(field) {
  if (field === undefined) return NO_LIMITS;
  const directives = parseCacheControl(field);
  const ms = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
    const argument = directives.get(name);
    if (argument === true && name === 'max-stale') return Infinity;
    const seconds = deltaSeconds(argument);
    return seconds === undefined || Number.isNaN(seconds) ? otherwise : seconds * 1000;
  };
  return {
    revalidate: directives.has('no-cache'),
    maxAge: ms('max-age', Infinity),
    minFresh: ms('min-fresh', 0),
    maxStale: ms('max-stale', 0),
  };
}

/**
 * Whether the stored response may stand in for this response of the handler.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.4
 * @param {import('../storage/stored-response').Usable} stored
 * @param {number} status of the response
 * @param {Rules} rules
 */
function maySpareError({ metadata, age }, status, rules) {
  if (!mayServeStale(metadata.flags) || metadata.status >= 500) return false;
  const stale = metadata.age + age - metadata.life;
  if (ERRORS.has(status) && stale < metadata.sie) return true;
  return DISCONNECTED.has(status) && stale < rules.staleIfDisconnected;
}

/** @param {Judgement} judgement */
function flagsOf({ noCache, mustRevalidate, forAuthorized }) {
  return (noCache ? NO_CACHE : 0) | (mustRevalidate ? MUST_REVALIDATE : 0) | (forAuthorized ? FOR_AUTHORIZED : 0);
}

/** @param {number} flags of a stored response */
function mayServeStale(flags) {
  return (flags & (NO_CACHE | MUST_REVALIDATE)) === 0;
}

/** @param {IncomingMessage} req */
function isOnlyIfCached({ headers }) {
  const field = headers['cache-control'];
  return field !== undefined && parseCacheControl(field).has('only-if-cached');
}

/**
 * Whether the request says who sends it: its response may be refused where another's is not.
 * @param {IncomingMessage} req
 */
function isPersonal({ headers }) {
  return headers.cookie !== undefined || headers.authorization !== undefined;
}

/**
 * Under which it is remembered that answers to such requests are not stored; those to others may be.
 * @param {string} base
 */
function personalKey(base) {
  return `${base}\npersonal`;
}

/** Reasons of the request alone: they say nothing of what others are answered. */
const OF_REQUEST = new Set(['method', 'request-no-store', 'authorization', 'cookie', 'coding']);

/**
 * Whether the response to this request may not be stored, whatever it is: nobody should wait for it.
 * https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1.5
 * @param {IncomingMessage} req
 */
function isNoStore({ headers }) {
  const field = headers['cache-control'];
  return field !== undefined && parseCacheControl(field).has('no-store');
}

module.exports = {
  bypassReason,
  judge,
  isSameToJudge,
  useOf,
  maySpareError,
  mayServeStale,
  flagsOf,
  isOnlyIfCached,
  isNoStore,
  isPersonal,
  personalKey,
  OF_REQUEST,
};
