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
 * The tags that are known before the handler runs.
 * @param {import('node:http').IncomingMessage} req
 * @param {import('../types').HttpCacheOptions} options
 * @returns {readonly string[]} whole names
 */
function tagsBefore(req, { tags }) {
  try {
    return tags?.(req) ?? [];
  } catch {
    // Said again, and refused, when there is a response.
    return [];
  }
}

/**
 * All tags of a response.
 * @param {import('node:http').IncomingMessage} req
 * @param {import('../serve/response-head').Head} head
 * @param {import('../types').HttpCacheOptions} options
 * @returns {readonly string[] | undefined} whole names; undefined: they cannot be kept, and what could not be purged must not
 *   be stored
 */
function tagsOf(req, head, { tags }) {
  try {
    const known = tags?.(req) ?? [];
    /** @type {readonly unknown[]} as they were given, not yet checked */
    const given = /** @type {any} */ (req)[TAGS] ?? [];
    if (known.length + given.length === 0 && !head.has('cache-tag') && !head.has('surrogate-key')) return known;
    const listed = (head.get('cache-tag') ?? '').split(',');
    const keys = (head.get('surrogate-key') ?? '').split(/\s+/);
    const found = [...listed, ...keys].map((tag) => tag.trim()).filter((tag) => tag !== '');
    const named = parseTags([...found, ...given], 'cacheTags');
    return [...new Set([...known, ...named])];
  } catch {
    return undefined;
  }
}

module.exports = { offerCacheTags, tagsBefore, tagsOf };
