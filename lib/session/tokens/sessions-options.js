'use strict';
// The options of createSessions and of its calls, checked and with their defaults. Durations in milliseconds.
const { invalid } = require('../../options/invalid');
const { knownOptions } = require('../../options/known');
const { parsePositiveDuration } = require('../../options/duration');
const { IN_REDIS } = require('../../redis/options');
const { defaultPrefix } = require('../storage/default-prefix');
const { createSealer } = require('../storage/encryption');

const KNOWN = ['cache', 'redis', 'prefix', 'ttl', 'maxAge', 'keys', 'hashIds'];
const KNOWN_CREATE = ['userId', 'label', 'userAgent', 'ttl', 'maxAge'];
const MONTH_MS = 30 * 86_400_000;
const MAX_USER_ID = 1024;
const MAX_LABEL = 256;
// A header of the client: cut, not refused.
const MAX_USER_AGENT = 512;

/** @typedef {import('../types').NormalSessionsOptions} NormalSessionsOptions */

/** @typedef {import('../types').NewSession} NewSession */

/**
 * Of the whole life: never less than the idle time, which would mean nothing otherwise.
 * @param {unknown} maxAge
 * @param {number} ttl
 * @param {number} otherwise
 */
function parseMaxAge(maxAge, ttl, otherwise) {
  if (maxAge === undefined) return Math.max(otherwise, ttl);
  const ms = parsePositiveDuration(maxAge, 'maxAge');
  if (ms < ttl) throw new TypeError(`maxAge: expected at least the ttl (${ttl} ms), got ${ms} ms`);
  return ms;
}

/**
 * @param {unknown} given
 * @returns {NormalSessionsOptions}
 */
function normalizeSessionsOptions(given) {
  const options = knownOptions(given, 'options', KNOWN, IN_REDIS);
  const { cache, redis, prefix = defaultPrefix('sessions', options.cache), ttl = '1d', keys, hashIds = true } = options;
  if (typeof prefix !== 'string' || !(/** @type {any} */ (prefix).isWellFormed()) || prefix.length > 200) {
    throw invalid('prefix', 'a string of at most 200 characters', prefix);
  }
  if (typeof hashIds !== 'boolean') throw invalid('hashIds', 'true or false', hashIds);
  const idle = parsePositiveDuration(ttl, 'ttl');
  return {
    cache,
    redis,
    prefix,
    ttl: idle,
    maxAge: parseMaxAge(options.maxAge, idle, MONTH_MS),
    sealer: keys === undefined ? undefined : createSealer(keys),
    hashIds,
  };
}

/**
 * @param {unknown} userId
 * @returns {string} numbers as text, so that 7 and '7' are the same user
 */
function parseUserId(userId) {
  if (typeof userId === 'number' && Number.isSafeInteger(userId)) return String(userId);
  if (typeof userId === 'bigint') return String(userId);
  if (typeof userId !== 'string' || userId === '' || userId.length > MAX_USER_ID) {
    throw invalid('userId', `a whole number, or a string of 1 to ${MAX_USER_ID} characters`, userId);
  }
  if (!(/** @type {any} */ (userId).isWellFormed())) throw invalid('userId', 'well-formed Unicode', userId);
  return userId;
}

/**
 * @param {unknown} given
 * @param {NormalSessionsOptions} defaults
 * @returns {NewSession}
 */
function parseNewSession(given, defaults) {
  const { userId, label, userAgent, ttl, maxAge } = knownOptions(given ?? {}, 'options', KNOWN_CREATE);
  if (label !== undefined && (typeof label !== 'string' || label.length > MAX_LABEL)) {
    throw invalid('label', `a string of at most ${MAX_LABEL} characters`, label);
  }
  if (userAgent !== undefined && typeof userAgent !== 'string') throw invalid('userAgent', 'a string', userAgent);
  const idle = ttl === undefined ? defaults.ttl : parsePositiveDuration(ttl, 'ttl');
  return {
    userId: userId === undefined ? undefined : parseUserId(userId),
    label,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT),
    ttl: idle,
    maxAge: parseMaxAge(maxAge, idle, defaults.maxAge),
  };
}

module.exports = { normalizeSessionsOptions, parseNewSession, parseUserId };
