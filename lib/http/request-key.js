'use strict';
// The key of a request: https://www.rfc-editor.org/rfc/rfc9111.html#section-2
// Scheme, host, path and query, exactly as the app sees them. HEAD shares the key of GET.

const { createHash } = require('node:crypto');

/** @typedef {import('node:http').IncomingMessage & { originalUrl?: string }} KeyedRequest */

// What a host may consist of. Anything else ("good.example/x", with the path "/y") could name another page's key.
const HOST = /^[A-Za-z0-9._~[\]:-]*$/;
// URLs may be 16 KB long; keys stay short enough for Redis tools and for the memory budget.
const MAX_KEY_LENGTH = 1024;

/**
 * The default key; undefined for a request that must not have one.
 * @param {KeyedRequest} req
 * @returns {string | undefined}
 */
function requestKey(req) {
  // Express cuts the mount path from req.url and keeps the whole in originalUrl.
  const url = req.originalUrl || req.url || '';
  // The absolute form names a second host, and which of the two an app believes is its own affair.
  // https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2.2
  if (url.charCodeAt(0) !== 0x2f) return undefined;
  const host = req.headers.host ?? '';
  if (!HOST.test(host)) return undefined;
  const scheme = /** @type {{ encrypted?: boolean } | undefined} */ (req.socket)?.encrypted ? 'https' : 'http';
  return `${scheme}://${host.toLowerCase()}${url}`;
}

/**
 * Makes the function from a request to its key in the cache.
 * @param {string} space keeps the entries of different mounts apart
 * @param {((req: import('node:http').IncomingMessage) => string) | undefined} custom the `key` option
 * @returns {(req: import('node:http').IncomingMessage, depth: number) => string | undefined}
 */
function keyMaker(space, custom) {
  const outermost = `${space}:GET:`;
  return (req, depth) => {
    const id = custom === undefined ? requestKey(req) : customKey(req, custom);
    if (id === undefined) return undefined;
    // A mount inside another one has entries of its own: what it stored was produced behind other middlewares
    // (a login check, say), which an outer mount must not skip by answering with that entry.
    const prefix = depth === 0 ? outermost : `${space}.${depth}:GET:`;
    if (id.length <= MAX_KEY_LENGTH) return prefix + id;
    return `${prefix}#${createHash('sha256').update(id).digest('base64url')}`;
  };
}

/**
 * A key function that throws or answers nonsense makes a request uncached, never failed, and never another's.
 * @param {import('node:http').IncomingMessage} req
 * @param {(req: import('node:http').IncomingMessage) => string} custom
 */
function customKey(req, custom) {
  try {
    const key = custom(req);
    return typeof key === 'string' && key !== '' ? key : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { requestKey, keyMaker };
