'use strict';
// createRedis: the client by itself.
const { RedisClient } = require('./client');
const { normalizeRedisOptions } = require('./options');

/**
 * @param {string | URL | import('../../types').RedisOptions} [options]
 */
function createRedis(options = {}) {
  return new RedisClient(normalizeRedisOptions(options, 'options', process.env));
}

module.exports = { createRedis };
