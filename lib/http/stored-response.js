'use strict';
// The stored response: what is written to the cache, and the check of what is read from it.

const { createHash } = require('node:crypto');
const { parseTokens } = require('./cache-control');
const { freshness, selectingFields } = require('./policy');

/** @typedef {import('./response-head').Head} ResponseHead */

/**
 * JSON in the cache, next to the body.
 * @typedef {object} Metadata
 * @property {1} http version of this shape
 * @property {number} status
 * @property {string} message the reason phrase, '' for the usual one
 * @property {string[]} head name, value, name, value … ready for writeHead; ends with Age and Cache-Status, still empty
 * @property {string} etag '' when there is none
 * @property {string} modified Last-Modified, '' when there is none
 * @property {number} age seconds, when it was stored
 * @property {string} upstream Cache-Status of the layers behind us
 * @property {Array<[string, string]>} vary selecting request fields and their values
 */

/**
 * A response on its way into the cache; `created` is when its body was complete.
 * @typedef {{ payload: Buffer, metadata: Metadata, created: number, ttlMs: number }} StoredResponse
 */

/**
 * What serve() needs: an entry of the cache, or a stored response that somebody waited for.
 * @typedef {{ payload: Buffer, metadata: Metadata, age: number, ttl: number }} ServableEntry
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
 * @param {ResponseHead} response.head
 * @param {string} response.message
 * @param {Buffer} response.body
 * @param {import('node:http').IncomingMessage} response.req
 * @param {ReadonlyMap<string, string>} response.outer fields that were set before the request reached this layer
 * @param {number | undefined} ttlMs the `ttl` option
 * @param {number} now
 * @returns {StoredResponse}
 */
function toStoredResponse({ head, message, body, req, outer }, ttlMs, now) {
  const left = freshness(head, ttlMs, now);
  const payload = hasBody(head.status) ? body : Buffer.alloc(0);
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
  if (etag === '' && head.status === 200) {
    etag = etagOf(payload);
    list.push('ETag', etag);
  }
  if (!head.has('date')) list.push('Date', new Date(now).toUTCString());
  if (hasBody(head.status)) list.push('Content-Length', String(payload.length));
  list.push('Age', '', 'Cache-Status', '');
  return {
    payload,
    created: now,
    ttlMs: left.ttlMs,
    metadata: {
      http: 1,
      status: head.status,
      message,
      head: list,
      etag,
      modified: head.get('last-modified') ?? '',
      age: left.age,
      upstream: head.get('cache-status') ?? '',
      vary: selectingFields(head, req),
    },
  };
}

/**
 * A stored response that has not come back from the cache yet, seen as an entry; undefined when its time is over.
 * @param {StoredResponse} stored
 * @param {number} now
 * @returns {ServableEntry | undefined}
 */
function asEntry(stored, now) {
  const age = Math.max(0, now - stored.created);
  const ttl = stored.ttlMs - age;
  return ttl > 0 ? { payload: stored.payload, metadata: stored.metadata, age, ttl } : undefined;
}

/**
 * Whether an entry is one of ours: the key may hold anything.
 * @param {{ payload?: unknown, metadata?: any } | undefined} entry
 * @returns {entry is ServableEntry}
 */
function isStoredResponse(entry) {
  const metadata = entry?.metadata;
  return (
    metadata?.http === 1 &&
    Array.isArray(metadata.head) &&
    Array.isArray(metadata.vary) &&
    typeof metadata.status === 'number' &&
    Buffer.isBuffer(entry?.payload)
  );
}

module.exports = { toStoredResponse, asEntry, isStoredResponse, etagOf, hasBody };
