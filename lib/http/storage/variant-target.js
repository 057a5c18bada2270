'use strict';
// Whose answer a request asks for, and by what it is told from others.

const { chooseCoding } = require('./compress');
const { IDENTITY } = require('../rfc/vary');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */

/** @type {readonly string[]} */
const NONE = [];

/**
 * @param {IncomingMessage} req
 * @param {string} base
 * @param {import('../options').HttpCacheOptions} options
 * @returns {import('./response-store').Target | undefined} undefined: nobody can say whose answer it gets
 */
function targetOf(req, base, options) {
  const { identity: identify, keyHeaders, rules } = options;
  /** @type {string[] | undefined} */
  let required;
  for (const name of keyHeaders) if (req.headers[name] !== undefined) (required ??= []).push(name);
  if (rules.vary.length > 0) required = [...(required ?? []), ...rules.vary];
  let identity;
  if (identify !== undefined) {
    try {
      // Nobody in particular, whichever way that is said.
      identity = identify(req) || undefined;
    } catch {
      return undefined;
    }
    if (identity !== undefined && typeof identity !== 'string') return undefined;
    required = [...(required ?? []), IDENTITY];
  }
  if (options.compress.length === 0) return { base, req, identity, required: required ?? NONE };
  const coding = chooseCoding(req.headers['accept-encoding'], options.compress);
  const seen = { headers: { ...req.headers, 'accept-encoding': coding } };
  return {
    base,
    req: /** @type {IncomingMessage} */ (seen),
    identity,
    required: [...(required ?? NONE), 'accept-encoding'],
    coding,
  };
}

module.exports = { targetOf };
