'use strict';
// The HTTP cache: Express middleware, and a listener in front of an app.
// flow/: a request's way (http-cache), misses, collapsing, second runs, statistics. rfc/: what the standards say, from heads
// alone (policy, freshness, vary, range, conditional). storage/: under which key, in which form. serve/: hits and what is
// sent of them. record/: running the handler, and watching what it writes.

const { middleware } = require('./middleware');
const { front } = require('./front');

/** @type {import('../../types/express').CacheResponse} */
const cacheResponse = Object.assign(middleware, { front });

module.exports = { cacheResponse };
