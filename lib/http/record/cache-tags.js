'use strict';
// res.cacheTags(): the tags that a handler gives its response. It is there on every request that a cache lets through to
// the handler, whether its response may be stored or not: the handler need not know.

/** On the request, which is the same for all caches that it passes. */
const TAGS = Symbol('tiercel.tags');

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
function offerCacheTags(req, res) {
  /** @type {any} */ (res).cacheTags ??= (/** @type {Array<string | readonly string[]>} */ ...tags) => {
    const tagged = /** @type {any} */ (req);
    tagged[TAGS] = [...(tagged[TAGS] ?? []), ...tags.flat()];
    return res;
  };
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @returns {readonly unknown[]} as they were given, not yet checked
 */
function givenCacheTags(req) {
  return /** @type {any} */ (req)[TAGS] ?? [];
}

module.exports = { offerCacheTags, givenCacheTags };
