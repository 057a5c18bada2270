'use strict';
// Writes a stored response to a client: whole, its head alone, a part of it, or 304.

const { appendMember } = require('../rfc/cache-status');
const { setFlat } = require('../record/response-methods');
const { hasConditions, isNotModified } = require('../rfc/conditional');
const { preparedFor } = require('./prepared-response');
const { sliceFor } = require('../rfc/range');
const { hasBody } = require('../storage/stored-response');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../storage/stored-response').Usable} Usable */

// What a 304 leaves out: the representation's metadata. https://www.rfc-editor.org/rfc/rfc9110.html#section-15.4.5
const NOT_IN_304 = new Set(['content-type', 'content-length', 'content-encoding', 'content-language', 'last-modified']);

/** @typedef {import('../types').ServeOptions} ServeOptions */

/**
 * @param {IncomingMessage} req
 * @param {ServerResponse} res
 * @param {Usable} stored
 * @param {ServeOptions} options
 * @returns {boolean} false when it cannot be sent; nothing has been sent then
 */
function serve(req, res, stored, options) {
  const { metadata, payload, age } = stored;
  const seconds = Math.floor((metadata.age + age) / 1000);
  const member = `${options.name}; ${options.how}`;
  const { range } = req.headers;
  const isPlain = range === undefined && metadata.part === undefined && !hasConditions(req) && !options.timing;
  if (isPlain) {
    const bodied = hasBody(metadata.status);
    const body = bodied && req.method !== 'HEAD' ? payload : undefined;
    const isSent = preparedFor(metadata, bodied ? payload.length : -1).write(res, body, seconds, member);
    if (isSent) return true;
  }
  const notModified = isNotModified(req, validatorsOf(metadata), options.lenientDates);
  // An outer layer that rewrites bodies (compression) would make something else of a part than of the whole.
  const isRewritten = Object.hasOwn(res, 'write') && metadata.part === undefined;
  const slice = notModified || isRewritten ? undefined : sliceFor(req, stored);
  if (slice === null) return false;
  const status = notModified ? 304 : (slice?.status ?? metadata.status);
  const list = notModified ? headOf304(metadata.head) : metadata.head.slice();
  if (slice !== undefined) without(list, 'content-range').push('Content-Range', slice.contentRange);
  const body = slice === undefined ? payload : payload.subarray(slice.start, slice.end);
  if (!notModified && hasBody(status)) list.push('Content-Length', String(body.length));
  // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.1 (floored once, so that no second is lost)
  list.push('Age', String(seconds));
  list.push('Cache-Status', appendMember(metadata.upstream, member));
  if (options.timing) list.push('Server-Timing', `${options.name};desc="${options.how.split(';', 1)[0]}"`);
  const message = status === metadata.status ? metadata.message : '';
  try {
    writeHead(res, status, message, list);
  } catch {
    // Fields that Node refuses: whatever wrote them, the handler can still answer.
    if (res.headersSent) throw new Error('Tiercel: the head of a stored response could not be written');
    for (let at = 0; at < list.length; at += 2) res.removeHeader(list[at]);
    return false;
  }
  // Buffers only: after a string, Node would send the head in the string's encoding and spoil latin-1 values.
  if (req.method === 'HEAD' || notModified || body.length === 0) res.end();
  else res.end(body);
  return true;
}

/** @param {import('../storage/stored-response').Metadata} metadata */
function validatorsOf({ status, etag, modified, head }) {
  let date = '';
  if (modified === '') {
    for (let at = 0; at < head.length; at += 2) if (head[at].toLowerCase() === 'date') date = head[at + 1];
  }
  return { status, etag, modified, date };
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
  setFlat(res, list);
  if (message) res.writeHead(status, message);
  else res.writeHead(status);
}

/** @param {readonly string[]} head */
function headOf304(head) {
  /** @type {string[]} */
  const list = [];
  for (let at = 0; at < head.length; at += 2) {
    if (!NOT_IN_304.has(head[at].toLowerCase())) list.push(head[at], head[at + 1]);
  }
  return list;
}

/**
 * @param {string[]} list
 * @param {string} id
 */
function without(list, id) {
  for (let at = list.length - 2; at >= 0; at -= 2) if (list[at].toLowerCase() === id) list.splice(at, 2);
  return list;
}

module.exports = { serve };
