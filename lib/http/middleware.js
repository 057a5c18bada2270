'use strict';
// The Express mount (4 and 5): answers hits, and records what the rest of the chain answers.

const { HttpCache } = require('./http-cache');
const { parseOptions } = require('./options');

/**
 * @param {import('../../types/express').CacheResponseOptions} [options]
 * @returns {import('../../types/express').CacheResponseMiddleware}
 */
function middleware(options) {
  const cache = new HttpCache(parseOptions(options), 'http');
  return function tiercel(req, res, next) {
    cache.handle(req, res, () => next());
  };
}

module.exports = { middleware };
