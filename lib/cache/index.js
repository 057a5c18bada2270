'use strict';
// createCache: options in, a Cache out.
const { Cache } = require('./cache');
const { normalizeCacheOptions } = require('./options');

/** @param {import('../../types').CacheOptions} [options] */
function createCache(options = {}) {
  return new Cache(normalizeCacheOptions(options, process.env));
}

module.exports = { createCache };
