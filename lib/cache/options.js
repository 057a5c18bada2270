'use strict';
// The options of createCache, checked and with their defaults.
const { randomUUID } = require('node:crypto');
const { invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { parseTtl, parseWindow } = require('../options/ttl');
const { parseSize } = require('../options/size');
const { RedisClient } = require('../redis/client');
const { createCodec } = require('./codecs');
const { parseJitter, parseRefreshAhead } = require('./call-options');
const { normalizeRedisOptions, redisFromEnvironment, IN_REDIS } = require('../redis/options');
const { linkOf } = require('../redis/link');

const KNOWN_CALL = ['ttl', 'maxTtl', 'jitter', 'staleWhileRevalidate', 'staleIfError', 'refreshAhead', 'timeout'];
const KNOWN_LOAD = ['softTimeout', 'errorBackoff', 'leaseTimeout'];
const KNOWN_VALUE = ['codec', 'share'];
const KNOWN_TIERS = ['redis', 'memory', 'namespace', 'version', 'commandTimeout', 'logger'];
const KNOWN = [...KNOWN_TIERS, ...KNOWN_CALL, ...KNOWN_LOAD, ...KNOWN_VALUE];
const HEARTBEAT_MS = 2000;
// A client by itself waits up to 10 s between two attempts; every second without Redis is a second of loaders.
const BACKOFF_MAX_MS = 800;
const KNOWN_MEMORY = ['maxBytes', 'maxEntryBytes', 'maxEntries', 'maxStaleness', 'shared'];
const IN_MEMORY = Object.fromEntries(KNOWN_MEMORY.map((name) => [name, `memory: { ${name} }`]));
const ELSEWHERE = { ...IN_REDIS, ...IN_MEMORY };
// One entry takes no more than this share of the budget, and no more than this, unless maxEntryBytes says so: the room
// for it is made by removing others, and that takes time.
const MOST_SHARE = 1 / 4;
const MOST_ENTRY_BYTES = 4 << 20;
const DAY_MS = 86_400_000;
const DEFAULT_TTL_MS = 300_000;

/** @typedef {import('./types').MemoryOptions} MemoryOptions */

/** @typedef {import('./types').NormalCacheOptions} NormalCacheOptions */

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
  const {
    maxBytes = '64mb',
    maxEntryBytes,
    maxEntries,
    maxStaleness = '1s',
    shared,
  } = knownOptions(memory, 'memory', KNOWN_MEMORY);
  if (maxEntries !== undefined && !(Number.isSafeInteger(maxEntries) && maxEntries > 0)) {
    throw invalid('memory.maxEntries', 'a positive whole number', maxEntries);
  }
  if (shared !== undefined && typeof shared !== 'boolean') throw invalid('memory.shared', 'true or false', shared);
  const budget = parseSize(maxBytes, 'memory.maxBytes');
  const most = Math.min(Math.floor(budget * MOST_SHARE), MOST_ENTRY_BYTES);
  return {
    maxBytes: budget,
    maxEntryBytes: maxEntryBytes === undefined ? most : parseSize(maxEntryBytes, 'memory.maxEntryBytes'),
    maxEntries: maxEntries ?? 0,
    maxStaleness: parseDuration(maxStaleness, 'memory.maxStaleness'),
    shared,
  };
}

/**
 * @param {any} redis
 * @param {any} commandTimeout
 * @param {NodeJS.ProcessEnv} env
 * @returns {NormalCacheOptions['redis']}
 */
function redisOptions(redis, commandTimeout, env) {
  const timeout = parsePositiveDuration(commandTimeout ?? '400ms', 'commandTimeout');
  if (redis === false) return undefined;
  if (redis instanceof RedisClient) {
    if (commandTimeout !== undefined) {
      throw new TypeError('commandTimeout: an open client has its own; give it to createRedis');
    }
    return redis;
  }
  const options = redis === undefined ? redisFromEnvironment(env) : normalizeRedisOptions(redis, 'redis', env);
  if (options === undefined) return undefined;
  const own = typeof redis === 'object' ? redis : {};
  if (own.commandTimeout === undefined) options.commandTimeout = timeout;
  // What is in memory is only as good as the connection that would announce its end.
  if (own.heartbeat === undefined) options.heartbeat = HEARTBEAT_MS;
  if (own.reconnect?.max === undefined) options.backoffMax = Math.max(BACKOFF_MAX_MS, options.backoffMin);
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
 * @param {Record<string, any>} options
 * @returns {import('./call-options').CallDefaults}
 */
function callDefaults(options) {
  const { ttl, jitter = 0, staleWhileRevalidate = 0, staleIfError = 0, refreshAhead = false } = options;
  const { timeout, softTimeout, errorBackoff = 0, leaseTimeout = '2s', maxTtl: longest = '1d' } = options;
  const maxTtl = parsePositiveDuration(longest, 'maxTtl');
  return {
    ttl: ttl === undefined ? DEFAULT_TTL_MS : parseTtl(ttl, 'ttl', maxTtl),
    maxTtl,
    jitter: parseJitter(jitter, 'jitter'),
    staleWhileRevalidate: parseWindow(staleWhileRevalidate, 'staleWhileRevalidate', maxTtl),
    staleIfError: parseWindow(staleIfError, 'staleIfError', maxTtl),
    refreshAhead: parseRefreshAhead(refreshAhead, 'refreshAhead'),
    timeout: timeout === undefined ? undefined : parsePositiveDuration(timeout, 'timeout'),
    softTimeout: softTimeout === undefined ? undefined : parsePositiveDuration(softTimeout, 'softTimeout'),
    errorBackoff: parseDuration(errorBackoff, 'errorBackoff'),
    leaseTimeout: parsePositiveDuration(leaseTimeout, 'leaseTimeout'),
    checked: new Map(),
  };
}

/**
 * Where the entries come from: caches of one server and namespace see the same ones.
 * @param {NormalCacheOptions['redis']} redis
 */
function serverOf(redis) {
  if (redis === undefined) return 'none';
  const {
    host,
    port,
    path,
    db = 0,
  } = /** @type {any} */ (redis instanceof RedisClient ? linkOf(redis).options : redis);
  return `${path || `${host}:${port}`}/${db}`;
}

/**
 * @param {NormalCacheOptions['redis']} redis
 * @param {NormalCacheOptions['memory']} memory
 * @param {string} prefix
 */
function tierNameOf(redis, memory, prefix) {
  // Unique in all threads of the process, and in every copy of this module.
  if (redis === undefined && memory?.shared !== true) return `own ${randomUUID()}`;
  return `${serverOf(redis)} ${prefix}${memory === undefined ? ' no memory' : ''}`;
}

/**
 * @param {unknown} given
 * @param {NodeJS.ProcessEnv} env
 * @returns {NormalCacheOptions}
 */
function normalizeCacheOptions(given, env) {
  const options = knownOptions(given, 'options', KNOWN, ELSEWHERE);
  const { namespace = 'tiercel', version = 1, share = 'copy' } = options;
  if (share !== 'copy' && share !== 'frozen') throw invalid('share', "'copy' or 'frozen'", share);
  if (typeof version !== 'string' && !Number.isSafeInteger(version)) {
    throw invalid('version', 'a string or a whole number', version);
  }
  const call = callDefaults(options);
  const redis = redisOptions(options.redis, options.commandTimeout, env);
  const memory = memoryOptions(options.memory ?? {});
  if (redis === undefined && memory === undefined) {
    throw new TypeError('memory: false leaves no tier at all, because no Redis is configured');
  }
  if (redis !== undefined && memory?.shared === false) {
    throw new TypeError(
      'memory.shared: caches of one Redis server and namespace always share their memory in a process; false is for a cache without Redis',
    );
  }
  const prefix = `${keyPart(namespace, 'namespace')}:${keyPart(String(version), 'version')}:`;
  return {
    redis,
    ownsClient: redis !== undefined && !(redis instanceof RedisClient),
    memory,
    namespace,
    prefix,
    server: redis === undefined ? '' : serverOf(redis),
    tierName: tierNameOf(redis, memory, prefix),
    // Far longer than any entry: what carries a stamp that is gone is invalid.
    stampFor: Math.max(30 * DAY_MS, 4 * call.maxTtl),
    call,
    codec: createCodec(options.codec),
    share,
    logger: checkLogger(options.logger),
  };
}

module.exports = { normalizeCacheOptions };
