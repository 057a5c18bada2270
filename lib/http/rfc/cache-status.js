'use strict';
// What this cache says in a response: Cache-Status, https://www.rfc-editor.org/rfc/rfc9211.html#section-2, and Server-Timing.

/** @typedef {import('node:http').ServerResponse} ServerResponse */

// https://www.rfc-editor.org/rfc/rfc9651.html#section-3.3.4
const SF_TOKEN = /^[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*$/;
const SF_STRING = /^[\x20-\x7e]+$/;

/**
 * The name of this cache as a structured field item; undefined when it cannot be one.
 * @param {string} name
 * @returns {string | undefined}
 */
function nameItem(name) {
  if (SF_TOKEN.test(name)) return name;
  if (!SF_STRING.test(name)) return undefined;
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Appends our member: the first one is the cache nearest to the origin.
 * @param {string | number | undefined} before what the layers behind us wrote
 * @param {string} member
 */
function appendMember(before, member) {
  return before ? `${before}, ${member}` : member;
}

/**
 * @param {ServerResponse} res
 * @param {string} member
 */
function addStatus(res, member) {
  appendTo(res, 'Cache-Status', member);
}

/**
 * @param {ServerResponse} res
 * @param {string} name
 * @param {string} member
 */
function appendTo(res, name, member) {
  const before = res.getHeader(name);
  res.setHeader(name, appendMember(Array.isArray(before) ? before.join(', ') : before, member));
}

module.exports = { nameItem, appendMember, addStatus, appendTo };
