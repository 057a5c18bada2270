'use strict';
// The HTTP cache: Express middleware, and a listener in front of an app.
// request-key, policy, cache-control, http-date: parse and decide. record-response, stored-response: store.
// serve, conditional, cache-status: answer. http-cache: one request's way through them, with collapse and fences.

const { middleware } = require('./middleware');
const { front } = require('./front');

/** @type {import('../../types/express').CacheResponse} */
const cacheResponse = Object.assign(middleware, { front });

module.exports = { cacheResponse };
