'use strict';
// The mount in front of a whole app: a hit is answered before the app touches the request.

const { invalid } = require('../options/is');
const { HttpCache } = require('./http-cache');
const { parseOptions } = require('./options');

/**
 * @param {import('../../types/express').RequestListener} app
 * @param {import('../../types/express').CacheResponseOptions} [options]
 * @returns {import('../../types/express').RequestListener}
 */
function front(app, options) {
  if (typeof app !== 'function') throw invalid('app', 'a (req, res) listener', app);
  const cache = new HttpCache(parseOptions(options), 'front');
  return function tiercelFront(req, res) {
    cache.handle(req, res, () => app(req, res));
  };
}

module.exports = { front };
