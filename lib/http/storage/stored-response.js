'use strict';
// The stored response: what is written to the cache, and the check of what is read from it.

const { createHash } = require('node:crypto');
const { parseTokens } = require('../rfc/cache-control');
const { flagsOf } = require('../rfc/policy');
const { ResponseHead } = require('../serve/response-head');

/** @typedef {import('../serve/response-head').Head} Head */

/** @typedef {import('../types').Metadata} Metadata */

/** @typedef {import('../types').Marker} Marker */

/** @typedef {import('../types').Usable} Usable */

/**
 * A response on its way into the cache.
 * @typedef {{ payload: Buffer, metadata: Metadata, created: number }} StoredResponse
 */

// About one connection, not about the response: https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1 and
// https://www.rfc-editor.org/rfc/rfc9111.html#section-3.1
const NOT_STORED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Written anew with every hit.
  'age',
  'cache-status',
  'content-length',
]);
// What a 304 cannot change, since the body stays: https://www.rfc-editor.org/rfc/rfc9111.html#section-3.2
const NOT_UPDATED = new Set([...NOT_STORED, 'content-encoding', 'content-range', 'content-type']);

/** @param {Buffer} body */
function etagOf(body) {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}

/** @param {number} status */
function hasBody(status) {
  return status !== 204 && status !== 304;
}

/**
 * @param {object} response
 * @param {Head} response.head
 * @param {string} response.message
 * @param {Buffer} response.body
 * @param {ReadonlyMap<string, string>} response.outer fields that were set before the request reached this layer
 * @param {import('../rfc/policy').Judgement} judgement
 * @param {number} now
 * @param {boolean} [validated] whether an ETag is made where there is none
 * @returns {StoredResponse}
 */
function toStoredResponse({ head, message, body, outer }, judgement, now, validated = true) {
  const payload = hasBody(head.status) ? body : Buffer.alloc(0);
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.1
  const dropped = new Set(parseTokens(head.get('connection')));
  /** @type {string[]} */
  const list = [];
  for (const { name, id, lines } of head.fields()) {
    if (NOT_STORED.has(id) || dropped.has(id)) continue;
    // The layers outside of us set it again for every request, a request id perhaps: theirs to say, not ours.
    if (outer.get(id) === lines.join('\n')) continue;
    for (const line of lines) list.push(name, line);
  }
  let etag = head.get('etag') ?? '';
  if (etag === '' && head.status === 200 && validated) {
    etag = etagOf(payload);
    list.push('ETag', etag);
  }
  if (!head.has('date')) list.push('Date', new Date(now).toUTCString());
  return { payload, created: now, metadata: metadataOf(head, message, list, etag, judgement) };
}

/**
 * @param {Head} head
 * @param {string} message
 * @param {string[]} list
 * @param {string} etag
 * @param {import('../rfc/policy').Judgement} judgement
 * @returns {Metadata}
 */
function metadataOf(head, message, list, etag, judgement) {
  return {
    http: 2,
    status: head.status,
    message,
    head: list,
    etag,
    modified: head.get('last-modified') ?? '',
    age: judgement.age,
    life: judgement.lifetime,
    swr: judgement.staleWhileRevalidate,
    sie: judgement.staleIfError,
    flags: flagsOf(judgement),
    upstream: head.get('cache-status') ?? '',
  };
}

/**
 * The head of a stored response, as the policy wants to see it.
 * @param {Metadata} metadata
 */
function headOf({ status, head }) {
  return new ResponseHead(status, grouped(head));
}

/**
 * @param {readonly string[]} list
 * @returns {Array<[string, string[]]>}
 */
function grouped(list) {
  /** @type {Map<string, [string, string[]]>} */
  const fields = new Map();
  for (let at = 0; at < list.length; at += 2) {
    const id = list[at].toLowerCase();
    const known = fields.get(id);
    if (known === undefined) fields.set(id, [list[at], [list[at + 1]]]);
    else known[1].push(list[at + 1]);
  }
  return [...fields.values()];
}

/**
 * The stored head with what a 304 says anew. https://www.rfc-editor.org/rfc/rfc9111.html#section-3.2
 * @param {Metadata} metadata
 * @param {Head} answer
 * @param {ReadonlyMap<string, string>} outer
 */
function updatedHead(metadata, answer, outer) {
  const dropped = new Set(parseTokens(answer.get('connection')));
  const fields = new Map(grouped(metadata.head).map(([name, lines]) => [name.toLowerCase(), [name, lines]]));
  for (const { name, id, lines } of answer.fields()) {
    if (NOT_UPDATED.has(id) || dropped.has(id) || outer.get(id) === lines.join('\n')) continue;
    // That of the plain body, which is not what is stored.
    if (id === 'etag' && metadata.plainEtag !== undefined) continue;
    fields.set(id, [name, [...lines]]);
  }
  // The age of what was validated counts from now on; Age itself is no stored field.
  const age = answer.lines('age');
  if (age.length > 0) fields.set('age', ['Age', [...age]]);
  return new ResponseHead(metadata.status, /** @type {Iterable<[string, string[]]>} */ (fields.values()));
}

/**
 * What a 304 makes of a stored response: the same body, a new head, a new age.
 * @param {Usable} stored
 * @param {Head} head updatedHead()
 * @param {import('../rfc/policy').Judgement} judgement
 * @param {number} now
 * @returns {StoredResponse}
 */
function revalidated({ payload, metadata }, head, judgement, now) {
  /** @type {string[]} */
  const list = [];
  for (const { name, id, lines } of head.fields()) {
    if (!NOT_STORED.has(id)) for (const line of lines) list.push(name, line);
  }
  const etag = head.get('etag') ?? '';
  const fresh = metadataOf(head, metadata.message, list, etag, judgement);
  if (metadata.part !== undefined) fresh.part = metadata.part;
  if (metadata.plainEtag !== undefined) fresh.plainEtag = metadata.plainEtag;
  return { payload, created: now, metadata: { ...fresh, upstream: metadata.upstream } };
}

/**
 * A stored response that has not come back from the cache yet, seen as an entry.
 * @param {StoredResponse} stored
 * @param {number} now
 * @returns {Usable}
 */
function asUsable({ payload, metadata, created }, now) {
  return { payload, metadata, age: Math.max(0, now - created), softened: false };
}

/** @param {StoredResponse} stored */
function languageOf({ metadata: { head } }) {
  for (let at = 0; at < head.length; at += 2) {
    if (head[at].toLowerCase() === 'content-language') return head[at + 1].trim().toLowerCase();
  }
  return undefined;
}

/**
 * Whether an entry is one of ours: the key may hold anything.
 * @param {{ payload?: unknown, metadata?: any }} entry
 * @returns {entry is Usable}
 */
function isStoredResponse(entry) {
  const { payload, metadata } = entry;
  return (
    metadata?.http === 2 &&
    Array.isArray(metadata.head) &&
    typeof metadata.status === 'number' &&
    typeof metadata.life === 'number' &&
    Buffer.isBuffer(payload)
  );
}

/**
 * @param {any} metadata
 * @returns {metadata is Marker}
 */
function isMarker(metadata) {
  return metadata?.http === 2 && Array.isArray(metadata.names) && typeof metadata.generation === 'string';
}

module.exports = {
  toStoredResponse,
  updatedHead,
  revalidated,
  headOf,
  asUsable,
  isStoredResponse,
  isMarker,
  etagOf,
  hasBody,
  languageOf,
};
