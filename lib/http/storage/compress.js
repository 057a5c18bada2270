'use strict';
// Stored bodies in compressed form, on request: compressed once, served many times. The coding is chosen here, so that
// there are no more variants than codings, and the handler is shown the coding that was chosen.

const zlib = require('node:zlib');
const { promisify } = require('node:util');
const { weighted } = require('../rfc/vary');

/** @typedef {import('./stored-response').StoredResponse} StoredResponse */
/** @typedef {'br' | 'gzip' | 'zstd'} Coding */

// Below, headers and a second copy cost more than is gained.
const MIN_BYTES = 1024;
// The level that servers use for answers made on the fly; the highest takes a hundred times as long.
const BROTLI_QUALITY = 5;
const TEXT =
  /^(?:text\/|application\/(?:.+\+)?(?:json|javascript|xml|wasm|x-ndjson)\b|image\/svg\+xml\b|font\/(?:ttf|otf)\b)/i;

/** @type {Record<Coding, ((body: Buffer) => Promise<Buffer>) | undefined>} */
const ENCODERS = {
  br: (body) =>
    promisify(zlib.brotliCompress)(body, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body) => promisify(zlib.gzip)(body),
  zstd: (/** @type {Buffer} */ body) => promisify(/** @type {any} */ (zlib).zstdCompress)(body),
};

/**
 * The coding that a client is served: of those that it weighs highest, the first of ours.
 * @param {string | string[] | undefined} acceptEncoding
 * @param {readonly Coding[]} codings in the order of our preference
 * @returns {Coding | 'identity'}
 */
function chooseCoding(acceptEncoding, codings) {
  if (acceptEncoding === undefined) return 'identity';
  const members = weighted(String(acceptEncoding));
  const weightOf = (/** @type {string} */ name) =>
    members.find((member) => member.name === name)?.weight ??
    members.find((member) => member.name === '*')?.weight ??
    0;
  let best = /** @type {Coding | 'identity'} */ ('identity');
  let most = 0;
  for (const coding of codings) {
    const weight = weightOf(coding);
    if (weight > most) [best, most] = [coding, weight];
  }
  return best;
}

/**
 * The same response with its body in a coding; the response itself where that is not possible, or gains nothing.
 * @param {StoredResponse} stored
 * @param {Coding | 'identity'} coding
 * @returns {Promise<StoredResponse>}
 */
async function compressed(stored, coding) {
  const { payload, metadata, created } = stored;
  const encode = coding === 'identity' ? undefined : ENCODERS[coding];
  if (encode === undefined || payload.length < MIN_BYTES || metadata.part !== undefined || !isCompressible(metadata)) {
    return stored;
  }
  const body = await encode(payload);
  if (body.length >= payload.length) return stored;
  const etag = etagIn(metadata.etag, coding);
  /** @type {string[]} */
  const head = [];
  for (let at = 0; at < metadata.head.length; at += 2) {
    const [name, value] = metadata.head.slice(at, at + 2);
    head.push(name, name.toLowerCase() === 'etag' ? etag : value);
  }
  head.push('Content-Encoding', coding);
  return { payload: body, created, metadata: { ...metadata, head, etag, plainEtag: metadata.etag } };
}

/** @param {import('./stored-response').Metadata} metadata */
function isCompressible({ status, head }) {
  if (status !== 200) return false;
  let type = '';
  for (let at = 0; at < head.length; at += 2) {
    const id = head[at].toLowerCase();
    if (id === 'content-type') type = head[at + 1];
    if (id === 'content-encoding' || id === 'content-range') return false;
    // https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.2.6
    if (id === 'cache-control' && /\bno-transform\b/i.test(head[at + 1])) return false;
  }
  return TEXT.test(type);
}

/**
 * Another representation has another tag. https://www.rfc-editor.org/rfc/rfc9110.html#section-8.8.3.3
 * @param {string} etag
 * @param {string} coding
 */
function etagIn(etag, coding) {
  return etag.endsWith('"') ? `${etag.slice(0, -1)}-${coding}"` : etag;
}

module.exports = { chooseCoding, compressed };
