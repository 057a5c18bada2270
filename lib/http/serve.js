'use strict';
// Answers a request from a stored response.

const { isNotModified } = require('./conditional');
const { appendMember } = require('./cache-status');
const { setFlat } = require('./record-response');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./stored-response').ServableEntry} ServableEntry */

// What a 304 leaves out: the representation's metadata. https://www.rfc-editor.org/rfc/rfc9110.html#section-15.4.5
const NOT_IN_304 = new Set(['content-type', 'content-length', 'content-encoding', 'content-language', 'last-modified']);

/**
 * @param {IncomingMessage} req
 * @param {ServerResponse} res
 * @param {ServableEntry} entry
 * @param {string} name of this cache, for Cache-Status
 * @param {string} [how] parameters of Cache-Status when it is not a plain hit
 * @returns {boolean} false when the entry cannot be sent; nothing has been sent then
 */
function serve(req, res, entry, name, how) {
  const { metadata, payload } = entry;
  const notModified = isNotModified(req, metadata);
  const status = notModified ? 304 : metadata.status;
  const message = notModified ? '' : metadata.message;
  const list = notModified ? headOf304(metadata.head) : metadata.head.slice();
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.1 (floored once, so that no second is lost)
  list[list.length - 3] = String(metadata.age + Math.floor(entry.age / 1000));
  const member = `${name}; ${how ?? `hit; ttl=${Math.floor(entry.ttl / 1000)}`}`;
  list[list.length - 1] = appendMember(metadata.upstream, member);
  try {
    writeHead(res, status, message, list);
  } catch {
    // Fields that Node refuses: whatever wrote them, the handler can still answer.
    if (res.headersSent) throw new Error('Tiercel: the head of a stored response could not be written');
    for (let at = 0; at < list.length; at += 2) removeHeader(res, list[at]);
    return false;
  }
  // Buffers only: after a string, Node would send the head in the string's encoding and spoil latin-1 values.
  if (req.method === 'HEAD' || notModified) res.end();
  else res.end(payload);
  return true;
}

/**
 * @param {ServerResponse} res
 * @param {number} status
 * @param {string} message
 * @param {string[]} list
 */
function writeHead(res, status, message, list) {
  // Untouched, as in front(): one call, without a table of fields. Otherwise earlier layers have set fields, which stay,
  // or have wrapped writeHead, and not every wrapper knows flat arrays.
  if (!Object.hasOwn(res, 'writeHead') && res.getHeaderNames().length === 0) {
    if (message) res.writeHead(status, message, list);
    else res.writeHead(status, list);
    return;
  }
  setFlat(res, list, list.length);
  if (message) res.writeHead(status, message);
  else res.writeHead(status);
}

/** @param {string[]} head */
function headOf304(head) {
  /** @type {string[]} */
  const list = [];
  for (let at = 0; at < head.length; at += 2) {
    if (!NOT_IN_304.has(head[at].toLowerCase())) list.push(head[at], head[at + 1]);
  }
  return list;
}

/**
 * @param {ServerResponse} res
 * @param {unknown} name
 */
function removeHeader(res, name) {
  if (typeof name === 'string') res.removeHeader(name);
}

module.exports = { serve };
