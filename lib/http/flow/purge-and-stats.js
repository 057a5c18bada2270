'use strict';
// What a mount offers besides answering requests: purge and statistics.

const { invalid, isPlainObject } = require('../../options/invalid');
const { knownOptions } = require('../../options/known');

const KNOWN = ['url', 'tag', 'pattern', 'key', 'soft'];

/**
 * @template {Function} F
 * @param {F} listener
 * @param {import('./http-cache').HttpCacheInstance} cache
 * @returns {F & { purge: (what: any) => Promise<void>, stats: () => any }}
 */
function withControls(listener, cache) {
  return Object.assign(listener, {
    purge: async (/** @type {any} */ what) => cache.purge(checked(what)),
    stats: () => cache.stats(),
  });
}

/** @param {any} what */
function checked(what) {
  if (!isPlainObject(what)) throw invalid('purge', 'an object such as { url }, { tag }, { key } or { pattern }', what);
  const { url, tag, pattern, key, soft = false } = knownOptions(what, 'purge options', KNOWN);
  if (url === undefined && tag === undefined && pattern === undefined && key === undefined) {
    throw invalid('purge', 'one of url, tag, key and pattern', what);
  }
  for (const one of [url ?? []].flat()) {
    if (typeof one !== 'string') throw invalid('url', 'a URL, or an array of them', url);
  }
  if (pattern !== undefined && typeof pattern !== 'string') throw invalid('pattern', 'a glob of URLs', pattern);
  if (key !== undefined && typeof key !== 'string') throw invalid('key', 'what the key option gave', key);
  if (typeof soft !== 'boolean') throw invalid('soft', 'true or false', soft);
  if (soft && (tag !== undefined || pattern !== undefined)) {
    throw invalid('soft', 'false, or a purge by url or key: tags and patterns have no stale copies', soft);
  }
  return { url, tag, pattern, key, soft };
}

module.exports = { withControls };
