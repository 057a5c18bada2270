'use strict';
// The stored form of a session that a serializer made text of: a line with the fields of fixed width, then that text.
//
//   {"revision":"…16…","expires":…32…,"originalMaxAge":…24…}\n…
//
// Text without that line is read as well: what another store wrote with the same serializer.
const { definePatch } = require('../../storage/scripts');
const { EXPIRY_WIDTH, MAX_AGE_OFFSET, expiryField, parseExpiryField } = require('./expiry');
const { isObject } = require('./json');
const { nextRevision, REVISION_WIDTH } = require('./revision');

const BEGIN = '{"revision":"';
const BEFORE_EXPIRY = '","expires":';
const MARK_WIDTH = BEGIN.length + REVISION_WIDTH;
const EXPIRY_OFFSET = MARK_WIDTH + BEFORE_EXPIRY.length;
const EXPIRY_END = EXPIRY_OFFSET + EXPIRY_WIDTH;
const LINE_END = '}\n';
const PATCH = definePatch(BEGIN, EXPIRY_OFFSET, EXPIRY_OFFSET + MAX_AGE_OFFSET);

/**
 * The cookie is what the record says beside the session: touch() changes that alone.
 * @param {any} session
 * @param {{ expires: string | null, originalMaxAge: number | null }} expiry
 */
function withExpiry(session, { expires, originalMaxAge }) {
  const { cookie } = session;
  if (!isObject(cookie)) return session;
  const says = (/** @type {string} */ name, /** @type {unknown} */ value) => value !== null || name in cookie;
  session.cookie = {
    ...cookie,
    ...(says('originalMaxAge', originalMaxAge) && { originalMaxAge }),
    ...(says('expires', expires) && { expires }),
  };
  return session;
}

/**
 * @param {{ parse: (text: string) => any, stringify: (session: any) => any }} serializer
 */
function createSerializedForm({ parse, stringify }) {
  /** @param {any} text */
  const checked = (text) => {
    if (typeof text !== 'string') throw new TypeError(`serializer.stringify: expected a string, got ${typeof text}`);
    return text;
  };
  /**
   * @param {string} text
   * @param {any} cookie
   */
  const assemble = (text, cookie) => {
    const mark = BEGIN + nextRevision();
    if (!isObject(cookie)) return { value: text, mark: text, whole: true };
    return { value: mark + BEFORE_EXPIRY + expiryField(cookie) + LINE_END + text, mark, whole: false };
  };
  return {
    binary: false,
    patch: PATCH,

    /**
     * @param {string} _id
     * @param {any} session
     * @returns {import('./json').Encoded | Promise<import('./json').Encoded>}
     */
    encode(_id, session) {
      // The cookie of this moment: the session may change while the serializer works.
      const { cookie } = session;
      const field = isObject(cookie) ? { expires: cookie.expires, originalMaxAge: cookie.originalMaxAge } : undefined;
      const text = stringify(session);
      if (typeof text?.then === 'function') {
        return text.then((/** @type {any} */ late) => assemble(checked(late), field));
      }
      return assemble(checked(text), field);
    },

    /**
     * @param {string} _id
     * @param {string} text
     * @returns {import('./json').Decoded | undefined | Promise<import('./json').Decoded | undefined>}
     */
    decode(_id, text) {
      const whole = !(text.startsWith(BEGIN) && text.startsWith(LINE_END, EXPIRY_END));
      const mark = whole ? text : text.slice(0, MARK_WIDTH);
      const expiry = whole ? undefined : parseExpiryField(text.slice(EXPIRY_OFFSET, EXPIRY_END));
      const finish = (/** @type {any} */ session) => {
        if (!isObject(session)) return undefined;
        return { session: expiry === undefined ? session : withExpiry(session, expiry), mark, whole };
      };
      const session = parse(whole ? text : text.slice(EXPIRY_END + LINE_END.length));
      return typeof session?.then === 'function' ? session.then(finish) : finish(session);
    },

    /**
     * @param {string} _id
     * @param {any} cookie
     */
    expiry(_id, cookie) {
      return expiryField(cookie);
    },
  };
}

module.exports = { createSerializedForm, withExpiry };
