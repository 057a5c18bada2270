'use strict';
// The tags of a response: those of the `tags` option, of its header fields, and of res.cacheTags(). That is there on every request
// that a cache lets through to the handler, whether its response may be stored or not: the handler need not know.

const { parseTags } = require('../../options/tags');

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

/**
 * @param {readonly string[]} known whole names
 * @param {import('../serve/response-head').Head} head
 * @param {readonly unknown[]} own of res.cacheTags()
 * @returns {readonly string[]} whole names
 */
function allTags(known, head, own) {
  if (known.length + own.length === 0 && !head.has('cache-tag') && !head.has('surrogate-key')) return known;
  const listed = (head.get('cache-tag') ?? '').split(',');
  const keys = (head.get('surrogate-key') ?? '').split(/\s+/);
  const found = [...listed, ...keys].map((tag) => tag.trim()).filter((tag) => tag !== '');
  const named = parseTags([...found, ...own], 'cacheTags');
  return [...new Set([...known, ...named])];
}

module.exports = { offerCacheTags, givenCacheTags, allTags };
