'use strict';
// What `require('tiercel')` gives.
const { createCache } = require('./cache');
const { createRedis } = require('./redis');
const { cacheResponse } = require('./http');
const { cacheKey } = require('./keys/cache-key');
const { escapePattern } = require('./keys/glob');
const { hashArgs } = require('./keys/hash-args');
const { CacheError, CacheUnavailableError, RedisError } = require('./errors');

module.exports = {
  createCache,
  createRedis,
  cacheResponse,
  cacheKey,
  hashArgs,
  escapePattern,
  CacheError,
  CacheUnavailableError,
  RedisError,
};
