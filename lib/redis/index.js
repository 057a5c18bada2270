'use strict';
// createRedis: the client by itself.
const { RedisClient } = require('./client');
const { normalizeRedisOptions, redisFromEnvironment } = require('./options');

/**
 * @param {string | URL | import('../../types').RedisOptions} [options]
 */
function createRedis(options) {
  if (options === undefined) {
    return new RedisClient(redisFromEnvironment(process.env) ?? normalizeRedisOptions({}, 'options'));
  }
  return new RedisClient(normalizeRedisOptions(options, 'options'));
}

module.exports = { createRedis };
