'use strict';
// Ranges: parts of a stored response. https://www.rfc-editor.org/rfc/rfc9110.html#section-14
// One range is answered with 206; several, or none that can be read, with the whole.

const { parseHttpDate } = require('./http-date');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('../storage/stored-response').Metadata} Metadata */

const ONE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;
const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/i;

/** @typedef {import('../types').Slice} Slice */

/**
 * What of a stored response the request asks for; undefined: all of it. null: it cannot be answered from what is stored.
 * @param {IncomingMessage} req
 * @param {{ metadata: Metadata, payload: Buffer }} stored
 * @returns {Slice | undefined | null}
 */
function sliceFor({ method, headers }, { metadata, payload }) {
  const { part } = metadata;
  const whole = part === undefined ? undefined : null;
  const { range } = headers;
  // https://www.rfc-editor.org/rfc/rfc9110.html#section-14.2: defined for GET alone.
  if (range === undefined || method !== 'GET') return whole;
  if (part === undefined && metadata.status !== 200) return undefined;
  const match = ONE_RANGE.exec(range);
  if (match === null || (match[1] === '' && match[2] === '')) return whole;
  if (!isSameRepresentation(headers['if-range'], metadata)) return whole;
  const [first, total] = part ?? [0, payload.length];
  const known = first + payload.length;
  let start = Number(match[1]);
  let end = match[2] === '' ? total : Math.min(total, Number(match[2]) + 1);
  if (match[1] === '') {
    // A suffix of a part counts from the end of what is there.
    const last = part === undefined ? total : known;
    start = Math.max(part === undefined ? 0 : first, last - Number(match[2]));
    end = last;
  } else if (part !== undefined && match[2] === '') end = known;
  if (match[2] !== '' && match[1] !== '' && start >= Number(match[2]) + 1) return whole;
  if (start >= total || end <= start) {
    return part === undefined ? { status: 416, start: 0, end: 0, contentRange: `bytes */${total}` } : null;
  }
  if (start < first || end > known) return null;
  return { status: 206, start: start - first, end: end - first, contentRange: `bytes ${start}-${end - 1}/${total}` };
}

/**
 * https://www.rfc-editor.org/rfc/rfc9110.html#section-13.1.5
 * @param {string | string[] | undefined} condition If-Range
 * @param {Metadata} metadata
 */
function isSameRepresentation(condition, { etag, modified }) {
  if (condition === undefined) return true;
  const value = String(condition).trim();
  // Strong comparison only.
  if (value.startsWith('"')) return value === etag;
  if (value.startsWith('W/')) return false;
  const date = parseHttpDate(value);
  return !Number.isNaN(date) && date === parseHttpDate(modified);
}

/**
 * Where a 206 begins, and how long the whole is; undefined for one that cannot be used.
 * @param {string | undefined} contentRange
 * @returns {[number, number] | undefined}
 */
function partOf(contentRange) {
  const match = CONTENT_RANGE.exec(contentRange ?? '');
  return match === null ? undefined : [Number(match[1]), Number(match[3])];
}

module.exports = { sliceFor, partOf };
