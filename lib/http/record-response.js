'use strict';
// Watches a response being written, without holding anything of it back.

const { ResponseHead } = require('./response-head');

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./response-head').Head} Head */

/**
 * Calls `before` when the head is about to be committed (by writeHead, write, end or flushHeaders, whichever comes
 * first), while fields can still be set, and `after` when it is. Neither may throw.
 * @param {ServerResponse} res
 * @param {(status: number) => void} before
 * @param {() => void} [after]
 */
function onHead(res, before, after) {
  const { writeHead } = res;
  /** @this {ServerResponse} @param {any[]} args @returns {any} */
  function watchedWriteHead(...args) {
    // Node throws, as it would without us.
    if (this.headersSent) return Reflect.apply(writeHead, this, args);
    const [statusCode, reason, fields] = args;
    // The status must be the one that Node will use: writeHead(200.9) is 200.
    const status = statusCode | 0;
    applyFields(this, typeof reason === 'string' ? fields : (fields ?? reason));
    before(status);
    const result = Reflect.apply(writeHead, this, typeof reason === 'string' ? [statusCode, reason] : [statusCode]);
    after?.();
    return result;
  }
  res.writeHead = watchedWriteHead;
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
  setFlat(res, flat, flat.length);
}

/**
 * Sets a flat list of names and values; a repeated name becomes repeated lines.
 * @param {ServerResponse} res
 * @param {readonly any[]} flat
 * @param {number} end
 */
function setFlat(res, flat, end) {
  /** @type {Map<string, { name: string, values: string[] }>} */
  const byName = new Map();
  for (let at = 0; at < end; at += 2) {
    const id = String(flat[at]).toLowerCase();
    const known = byName.get(id);
    if (known) known.values.push(...[flat[at + 1]].flat());
    else byName.set(id, { name: flat[at], values: [flat[at + 1]].flat() });
  }
  for (const { name, values } of byName.values()) res.setHeader(name, values.length === 1 ? values[0] : values);
}

/**
 * @typedef {object} Recorder
 * @property {(head: Head, known: { fits: boolean, body: Buffer | undefined }) => boolean} onHead
 *   The head is about to be committed. `body` is the whole body when it is known already; `fits` is false when it is
 *   known to be too long. Answers whether a copy of the body is wanted.
 * @property {(head: Head) => boolean} onCommitted
 *   The head as outer layers completed it. Answers whether the copy is still wanted.
 * @property {(body: Buffer) => void} onComplete the handler ended the response, and the body is whole
 * @property {(reason: 'refused' | 'aborted') => void} onDropped there will be no copy
 */

/**
 * Records a response. Exactly one of onComplete and onDropped is called.
 * @param {ServerResponse} res
 * @param {number} maxBytes a longer body is sent, and not copied
 * @param {Recorder} recorder
 */
function recordResponse(res, maxBytes, recorder) {
  const { write, end } = res;
  /** @type {Buffer[] | undefined} */
  let chunks = [];
  let size = 0;
  let ended = false;
  /** The argument of end() while end() runs: the rest of the body, known before the head is committed. */
  /** @type {Buffer | undefined} */
  let last;
  let ending = false;
  /** @type {number | undefined} */
  let announced;

  /** @param {'refused' | 'aborted'} reason */
  function drop(reason) {
    if (chunks === undefined) return;
    chunks = undefined;
    recorder.onDropped(reason);
  }

  /** @param {Buffer} bytes */
  function keep(bytes) {
    if (chunks === undefined) return;
    size += bytes.length;
    if (size > maxBytes) drop('refused');
    else chunks.push(bytes);
  }

  onHead(
    res,
    (status) => {
      if (chunks === undefined) return;
      try {
        const head = ResponseHead.of(res, status);
        const length = head.get('content-length');
        announced = length === undefined ? undefined : Number(length);
        // While end() commits the head, nothing has been written before: what end() was given is all.
        const body = ending ? (last ?? Buffer.alloc(0)) : undefined;
        const fits = (body?.length ?? announced ?? 0) <= maxBytes;
        if (!recorder.onHead(head, { fits, body })) drop('refused');
      } catch {
        // A fault of the cache must not fail the response.
        drop('refused');
      }
    },
    () => {
      if (chunks === undefined) return;
      try {
        if (!recorder.onCommitted(ResponseHead.of(res, res.statusCode))) drop('refused');
      } catch {
        drop('refused');
      }
    },
  );

  /** @this {ServerResponse} @param {any[]} args @returns {any} */
  function recordedWrite(...args) {
    // Copied now: the caller may use its buffer again as soon as this write is done.
    // After end(), a write comes from a layer outside of us that has our bytes already.
    const bytes = ended || chunks === undefined ? undefined : copyOf(args[0], args[1]);
    const result = Reflect.apply(write, this, args);
    if (bytes !== undefined && bytes.length > 0) keep(bytes);
    return result;
  }

  /** @this {ServerResponse} @param {any[]} args @returns {any} */
  function recordedEnd(...args) {
    if (ended || chunks === undefined) return Reflect.apply(end, this, args);
    const gone = this.destroyed || this.socket?.destroyed === true;
    last = copyOf(args[0], args[1]);
    ended = ending = true;
    let result;
    try {
      result = Reflect.apply(end, this, args);
    } catch (error) {
      // Not ended: an argument that Node refuses. The handler may try again.
      ended = false;
      last = undefined;
      throw error;
    } finally {
      ending = false;
    }
    if (last !== undefined) keep(last);
    const whole = chunks;
    if (whole === undefined) return result;
    // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.3: an incomplete message is not stored.
    if (gone || !this.headersSent || (announced !== undefined && announced !== size)) drop('aborted');
    else {
      chunks = undefined;
      recorder.onComplete(whole.length === 1 ? whole[0] : Buffer.concat(whole, size));
    }
    return result;
  }

  res.write = recordedWrite;
  res.end = recordedEnd;
  // The connection ended, or the handler destroyed it, before end().
  res.once('close', () => drop('aborted'));
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

module.exports = { recordResponse, onHead, setFlat };
