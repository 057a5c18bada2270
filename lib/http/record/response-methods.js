'use strict';
// The methods of a response, as its layers call them: what their arguments mean, and a watch on the head.

/** @typedef {import('node:http').ServerResponse} ServerResponse */

/**
 * Calls `before` when the head is about to be committed (by writeHead, write, end or flushHeaders, whichever comes
 * first), while fields can still be set. It must not throw.
 * @param {ServerResponse} res
 * @param {(status: number) => void} before
 */
function onHead(res, before) {
  const { writeHead } = res;
  /** @this {ServerResponse} @param {any[]} args @returns {any} */
  function watchedWriteHead(...args) {
    // Node throws, as it would without us.
    if (this.headersSent) return Reflect.apply(writeHead, this, args);
    const [statusCode, reason, fields] = args;
    applyFields(this, typeof reason === 'string' ? fields : (fields ?? reason));
    before(statusCode | 0);
    return Reflect.apply(writeHead, this, typeof reason === 'string' ? [statusCode, reason] : [statusCode]);
  }
  res.writeHead = watchedWriteHead;
}

/**
 * The same for a response that counts although nobody may get it: `before` is called once, be it that Node commits no head
 * any more, since the client has gone, or none by writeHead(), as for an HTTP/2 answer without a body.
 * @param {ServerResponse} res
 * @param {(status: number) => void} before
 */
function onOutcome(res, before) {
  let isTold = false;
  const once = (/** @type {number} */ status) => {
    if (isTold) return;
    isTold = true;
    before(status);
  };
  onHead(res, once);
  const { end } = res;
  res.end = function watchedEnd(/** @type {any[]} */ ...args) {
    if (!res.headersSent && (res.destroyed || res.req?.httpVersionMajor > 1)) once(res.statusCode);
    return Reflect.apply(end, res, args);
  };
}

/**
 * The fields of writeHead(status, fields) as setHeader calls: an object, a flat array or an array of pairs.
 * @param {ServerResponse} res
 * @param {any} fields
 */
function applyFields(res, fields) {
  if (!fields) return;
  if (!Array.isArray(fields)) {
    for (const name of Object.keys(fields)) if (name) res.setHeader(name, fields[name]);
    return;
  }
  const flat = Array.isArray(fields[0]) ? fields.flat(1) : fields;
  if (flat.length % 2 !== 0) {
    // Node's own complaint about such an argument.
    const error = new TypeError(`The argument 'headers' is invalid. Received ${JSON.stringify(fields)}`);
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
  }
  setFlat(res, flat);
}

/**
 * Sets a flat list of names and values; a repeated name becomes repeated lines.
 * @param {ServerResponse} res
 * @param {readonly any[]} flat
 */
function setFlat(res, flat) {
  /** @type {Map<string, { name: string, values: string[] }>} */
  const byName = new Map();
  for (let at = 0; at < flat.length; at += 2) {
    const id = String(flat[at]).toLowerCase();
    const known = byName.get(id);
    if (known) known.values.push(...[flat[at + 1]].flat());
    else byName.set(id, { name: flat[at], values: [flat[at + 1]].flat() });
  }
  for (const { name, values } of byName.values()) res.setHeader(name, values.length === 1 ? values[0] : values);
}

/**
 * A copy of a chunk; undefined when there is none, or none that Node would take.
 * @param {unknown} chunk
 * @param {unknown} encoding
 * @returns {Buffer | undefined}
 */
function copyOf(chunk, encoding) {
  if (typeof chunk === 'string') {
    const known = typeof encoding === 'string' && Buffer.isEncoding(encoding);
    return Buffer.from(chunk, known ? encoding : 'utf8');
  }
  if (chunk instanceof Uint8Array) return Buffer.from(chunk);
  return undefined;
}

/**
 * What Node does in end(): the length of a body that is known at once.
 * @param {ServerResponse} res
 * @param {Buffer | undefined} body
 */
function announceLength(res, body) {
  const { statusCode } = res;
  if (res.req?.method === 'HEAD' || statusCode === 204 || statusCode === 304) return;
  if (res.hasHeader('content-length') || res.hasHeader('transfer-encoding') || res.hasHeader('trailer')) return;
  res.setHeader('Content-Length', body?.length ?? 0);
}

/**
 * Takes a write that goes nowhere.
 * @template T
 * @param {any[]} args
 * @param {T} result
 * @returns {T}
 */
function swallow(args, result) {
  const callback = args.find((argument) => typeof argument === 'function');
  if (callback !== undefined) process.nextTick(callback);
  return result;
}

/** @param {ServerResponse} res */
function namesOf(res) {
  // @types/node has getRawHeaderNames on ClientRequest only; OutgoingMessage has it since Node 15.4.
  return /** @type {string[]} */ (/** @type {any} */ (res).getRawHeaderNames());
}

module.exports = { announceLength, applyFields, copyOf, namesOf, onHead, onOutcome, setFlat, swallow };
