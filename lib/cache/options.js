'use strict';
// The options of createCache, checked and with their defaults.
const { invalid } = require('../options/is');
const { knownOptions } = require('../options/known');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { parseSize } = require('../options/size');
const { RedisClient } = require('../redis/client');
const { normalizeRedisOptions, redisFromEnvironment } = require('../redis/options');

const KNOWN = ['redis', 'memory', 'namespace', 'version', 'ttl', 'maxTtl', 'codec', 'commandTimeout', 'logger'];
const HEARTBEAT_MS = 2000;
const KNOWN_MEMORY = ['maxBytes', 'maxEntryBytes', 'maxStaleness'];

/**
 * @typedef {object} NormalCacheOptions
 * @property {import('../redis/options').NativeRedisOptions | import('../redis/client').Client | undefined} redis
 * @property {{ maxBytes: number, maxEntryBytes: number, maxStaleness: number } | undefined} memory
 * @property {string} namespace
 * @property {string} prefix of every key
 * @property {number} ttl ms
 * @property {number} maxTtl ms
 * @property {import('../../types').Logger | undefined} logger
 */

/**
 * @param {unknown} value
 * @param {string} name
 */
function keyPart(value, name) {
  if (typeof value !== 'string' || !/^[^\s*?[\]{}\\]{1,200}$/u.test(value)) {
    throw invalid(name, '1 to 200 characters, none of * ? [ ] { } \\ or white space', value);
  }
  // It stands between version and key: with it inside, the keys of two caches could be the same.
  if (value.split(':').includes('k')) throw invalid(name, "no part 'k' between colons, which is reserved", value);
  return value;
}

/**
 * @param {any} memory
 * @returns {NormalCacheOptions['memory']}
 */
function memoryOptions(memory) {
  if (memory === false) return undefined;
  const { maxBytes = '64mb', maxEntryBytes, maxStaleness = '1s' } = knownOptions(memory, 'memory', KNOWN_MEMORY);
  const budget = parseSize(maxBytes, 'memory.maxBytes');
  return {
    maxBytes: budget,
    maxEntryBytes: maxEntryBytes === undefined ? budget : parseSize(maxEntryBytes, 'memory.maxEntryBytes'),
    maxStaleness: parseDuration(maxStaleness, 'memory.maxStaleness'),
  };
}

/**
 * @param {any} redis
 * @param {any} commandTimeout
 * @param {NodeJS.ProcessEnv} env
 * @returns {NormalCacheOptions['redis']}
 */
function redisOptions(redis, commandTimeout, env) {
  if (redis === false) return undefined;
  if (redis instanceof RedisClient) {
    if (commandTimeout !== undefined) {
      throw new TypeError('commandTimeout: an open client has its own; give it to createRedis');
    }
    return redis;
  }
  const options = redis === undefined ? redisFromEnvironment(env) : normalizeRedisOptions(redis, 'redis');
  if (options === undefined) return undefined;
  const own = typeof redis === 'object' ? redis : {};
  if (own.commandTimeout === undefined) {
    options.commandTimeout = parsePositiveDuration(commandTimeout ?? '1s', 'commandTimeout');
  }
  // What is in memory is only as good as the connection that would announce its end.
  if (own.heartbeat === undefined) options.heartbeat = HEARTBEAT_MS;
  return options;
}

/** @param {any} logger */
function checkLogger(logger) {
  if (logger !== undefined && typeof logger?.warn !== 'function') {
    throw invalid('logger', 'an object with a method warn(message, details), such as console', logger);
  }
  return logger;
}

/**
 * @param {unknown} given
 * @param {NodeJS.ProcessEnv} env
 * @returns {NormalCacheOptions}
 */
function normalizeCacheOptions(given, env) {
  const options = knownOptions(given, 'options', KNOWN);
  const { namespace = 'tiercel', version = 1, ttl = '5m', maxTtl = '1d', codec = 'json' } = options;
  if (codec !== 'json') throw invalid('codec', "'json'", codec);
  if (typeof version !== 'string' && !Number.isSafeInteger(version)) {
    throw invalid('version', 'a string or a whole number', version);
  }
  const normal = {
    redis: redisOptions(options.redis, options.commandTimeout, env),
    memory: memoryOptions(options.memory ?? {}),
    namespace: keyPart(namespace, 'namespace'),
    prefix: `${namespace}:${keyPart(String(version), 'version')}:k:`,
    ttl: parsePositiveDuration(ttl, 'ttl'),
    maxTtl: parsePositiveDuration(maxTtl, 'maxTtl'),
    logger: checkLogger(options.logger),
  };
  if (normal.redis === undefined && normal.memory === undefined) {
    throw new TypeError('memory: false leaves no tier at all, because no Redis is configured');
  }
  return normal;
}

module.exports = { normalizeCacheOptions };
