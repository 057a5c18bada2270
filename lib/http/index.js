'use strict';
// The HTTP cache: Express middleware, and a listener in front of an app.
// One request: http-cache (its way), target, answers (hits), misses, run-handler, second-runs, invalidations, store-post.
// Its four roles: policy (with freshness, cache-control, targeted-field, http-date), store (with stored-response, vary,
// request-key, kept-entries), serve (with conditional, range, prepared-response), capture (with response-methods).

const { middleware } = require('./middleware');
const { front } = require('./front');

/** @type {import('../../types/express').CacheResponse} */
const cacheResponse = Object.assign(middleware, { front });

module.exports = { cacheResponse };
