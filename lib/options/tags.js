'use strict';
// Tags as users write them, and their whole names in Redis and in the memory tier.
const { invalid } = require('./invalid');

const MAX_TAGS = 128;

/**
 * @param {any} tags
 * @param {string} name
 * @returns {string[]}
 */
function parseTags(tags, name) {
  if (!Array.isArray(tags)) throw invalid(name, 'an array of tags', tags);
  for (const tag of tags) checkTag(tag, name);
  const unique = [...new Set(tags)];
  if (unique.length > MAX_TAGS) throw new TypeError(`${name}: expected at most ${MAX_TAGS} tags, got ${unique.length}`);
  return unique.map((tag) => `t:${tag}`);
}

/**
 * @param {any} tag
 * @param {string} name
 */
function checkTag(tag, name) {
  if (typeof tag !== 'string' || tag === '' || Buffer.byteLength(tag) > 1024) {
    throw invalid(name, 'tags of 1 to 1024 bytes', tag);
  }
  if (!(/** @type {any} */ (tag).isWellFormed())) throw invalid(name, 'tags without lone surrogates', tag);
}

module.exports = { checkTag, parseTags };
