'use strict';
// The Express mount (4 and 5): answers hits, and records what the rest of the chain answers.

const { withControls } = require('./flow/purge-and-stats');
const { HttpCache } = require('./flow/http-cache');
const { parseOptions } = require('./options');

/**
 * @template {import('node:http').IncomingMessage} [Req=import('node:http').IncomingMessage]
 * @param {import('../../types/express').CacheResponseOptions<Req>} [options]
 * @returns {import('../../types/express').CacheResponseMiddleware<Req>}
 */
function middleware(options) {
  const cache = new HttpCache(parseOptions(options), 'http');
  return withControls(function tiercel(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
    cache.handle(req, res, () => next(), rerunOf(req));
  }, cache);
}

/**
 * What runs the whole Express app again; undefined without Express: then nothing stale is served while it is revalidated.
 * @param {{ app?: any }} req
 * @returns {import('./flow/background-revalidation').Rerun | undefined}
 */
function rerunOf({ app }) {
  if (typeof app !== 'function') return undefined;
  return (req, res) => {
    let outermost = app;
    while (typeof outermost.parent === 'function') outermost = outermost.parent;
    outermost(req, res);
  };
}

module.exports = { middleware };
