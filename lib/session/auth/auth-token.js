'use strict';
// The session id that a request brings: as a Bearer token, or in a cookie. Whatever does not look like an id is none;
// Sessions has the last word.

// RFC 6265, section 4.1.1: a token.
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 6750, section 2.1; the scheme's name is case-insensitive (RFC 9110, section 11.1).
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;
const SCHEME = /^bearer(?: |$)/i;
// Node bounds the header as a whole; an id is far shorter than this.
const MAX_HEADER = 16_384;

/**
 * The first cookie of this name: user agents send the one of the longest path first.
 * @param {unknown} header
 * @param {string} name
 * @returns {string | undefined}
 */
function cookieOf(header, name) {
  if (typeof header !== 'string' || header.length > MAX_HEADER) return undefined;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return undefined;
}

/**
 * Who sends a Bearer token means that one, also when it is not valid: a cookie that happens to be there does not count.
 * @param {{ headers: import('node:http').IncomingHttpHeaders }} req
 * @param {{ cookie: string | false, bearer: boolean }} options
 * @returns {string | undefined}
 */
function tokenOf({ headers }, { cookie, bearer }) {
  const { authorization } = headers;
  if (bearer && typeof authorization === 'string' && SCHEME.test(authorization)) {
    return authorization.length > MAX_HEADER ? undefined : BEARER.exec(authorization)?.[1];
  }
  return cookie === false ? undefined : cookieOf(headers.cookie, cookie);
}

module.exports = { tokenOf, cookieOf, COOKIE_NAME };
