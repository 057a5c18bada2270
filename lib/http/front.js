'use strict';
// The mount in front of a whole app: a hit is answered before the app touches the request.

const { invalid } = require('../options/invalid');
const { HttpCache } = require('./flow/http-cache');
const { withControls } = require('./flow/purge-and-stats');
const { parseOptions } = require('./options');

/**
 * @param {import('../../types/express').RequestListener} app
 * @param {import('../../types/express').CacheResponseOptions} [options]
 * @returns {import('../../types/express').CachedListener}
 */
function front(app, options) {
  if (typeof app !== 'function') throw invalid('app', 'a (req, res) listener', app);
  const cache = new HttpCache(parseOptions(options), 'front');
  /** @type {import('./flow/background-revalidation').Rerun} */
  const rerun = (req, res) => cache.handle(req, res, () => app(req, res));
  /** @type {import('../../types/express').RequestListener} */
  const listener = function tiercelFront(req, res) {
    cache.handle(req, res, () => app(req, res), rerun);
  };
  return withControls(listener, cache);
}

module.exports = { front };
