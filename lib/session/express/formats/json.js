'use strict';
// The stored form of a session without a serializer or encryption: its JSON, as every other store of express-session can
// read it, that begins with the cookie and in it with fields of fixed width:
//
//   {"cookie":{"revision":"…16…","expires":…32…,"originalMaxAge":…24…,"httpOnly":true,"path":"/"},"user":…}
//
// Any other JSON of an object is read as well: what connect-redis stored, or a session without a cookie.
const { definePatch } = require('../../storage/scripts');
const { MAX_AGE_OFFSET, expiryField, timeOf } = require('./expiry');
const { nextRevision, REVISION_WIDTH } = require('./revision');

const BEGIN = '{"cookie":{"revision":"';
const BEFORE_EXPIRY = '","expires":';
const EXPIRY_OFFSET = BEGIN.length + REVISION_WIDTH + BEFORE_EXPIRY.length;

// Of the cookie, those that are there already, or do not belong there.
const FIELDS = new Set(['revision', 'expires', 'originalMaxAge', '__proto__']);

// How JSON.stringify begins for the sessions of express-session. The fields are replaced by those of fixed width.
const USUAL = /^\{"cookie":\{"originalMaxAge":(?:null|-?[\d.e+]+),"expires":(?:null|"[\d-]+T[\d:.]+Z")(?=[,}])/;

/** @typedef {import('../../types').Encoded} Encoded */

/** @typedef {import('../../types').Decoded} Decoded */

/**
 * @param {string} mark
 * @param {string} text
 * @returns {Encoded}
 */
const encoded = (mark, text) => ({ value: text, mark, whole: false });

const jsonForm = {
  binary: false,
  patch: definePatch(BEGIN, EXPIRY_OFFSET, EXPIRY_OFFSET + MAX_AGE_OFFSET),

  /**
   * @param {string} _id
   * @param {any} session
   * @returns {Encoded}
   */
  encode(_id, session) {
    const text = JSON.stringify(session);
    const { cookie } = session;
    const mark = BEGIN + nextRevision();
    const usual = USUAL.exec(text);
    if (usual !== null) {
      return encoded(mark, mark + BEFORE_EXPIRY + expiryField(cookie) + text.slice(usual[0].length));
    }
    return encodeUnusual(text, mark, typeof cookie?.toJSON === 'function');
  },

  /**
   * @param {string} _id
   * @param {string} text
   * @returns {Decoded | undefined} undefined: it is no session
   */
  decode(_id, text) {
    const session = JSON.parse(text);
    if (!text.startsWith(BEGIN)) {
      return isObject(session) ? { session, mark: text, whole: true } : undefined;
    }
    const stored = session.cookie;
    // In the order in which express-session has them. Destructuring would cost as much as asking Redis.
    const cookie = { originalMaxAge: stored.originalMaxAge, expires: stored.expires };
    for (const name in stored) if (!FIELDS.has(name)) /** @type {any} */ (cookie)[name] = stored[name];
    session.cookie = cookie;
    return { session, mark: BEGIN + stored.revision, whole: false };
  },

  /**
   * @param {string} _id
   * @param {any} cookie
   */
  expiry(_id, cookie) {
    return expiryField(cookie);
  },
};

/**
 * The cookie does not come first, or has more in front, or less, or there is none.
 * @param {string | undefined} text
 * @param {string} mark
 * @param {boolean} complete whether the cookie is one of express-session's: what it does not say is null
 * @returns {Encoded}
 */
function encodeUnusual(text, mark, complete) {
  if (text === undefined || text[0] !== '{') throw new TypeError('session: expected an object that JSON can hold');
  // Own properties called __proto__ stay what they are: JSON.parse, rest and spread define, they do not assign.
  const { cookie, ...data } = JSON.parse(text);
  if (!isObject(cookie)) return { value: text, mark: text, whole: true };
  const { expires = complete ? null : undefined, originalMaxAge = complete ? null : undefined } = cookie;
  const known =
    (expires === null || (typeof expires === 'string' && !Number.isNaN(timeOf(expires)))) &&
    (originalMaxAge === null || typeof originalMaxAge === 'number');
  if (!known) return { value: text, mark: text, whole: true };
  const others = without(cookie, ['expires', 'originalMaxAge', 'revision']);
  const begin = mark + BEFORE_EXPIRY + expiryField({ expires, originalMaxAge });
  return encoded(mark, `${begin}${members(others)}}${members(data)}}`);
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {object} object
 * @param {readonly string[]} names
 */
function without(object, names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/**
 * What follows in the JSON of an object.
 * @param {object} object
 */
function members(object) {
  const inner = JSON.stringify(object).slice(1, -1);
  return inner === '' ? '' : `,${inner}`;
}

module.exports = { jsonForm, isObject, without };
