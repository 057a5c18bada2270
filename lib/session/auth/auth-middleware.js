'use strict';
// authMiddleware: who asks? Express and Connect middleware over Sessions. The session is read anew for every request, so
// that a logout counts at once; what `load` knows of the user comes from the memory of the process, else from Redis, else
// from `load`, and is the same for all sessions of the user.
const { cacheKey } = require('../../keys/cache-key');
const { invalid } = require('../../options/invalid');
const { knownOptions } = require('../../options/known');
const { parsePositiveDuration } = require('../../options/duration');
const { COOKIE_NAME, tokenOf } = require('./auth-token');
const { hashId } = require('../tokens/ids');
const { Sessions } = require('../tokens/sessions');
const { parseUserId } = require('../tokens/sessions-options');
const { isCache } = require('../../store/store');

const KNOWN = [
  ...['sessions', 'load', 'cache', 'name', 'ttl', 'key', 'cookie', 'bearer', 'required', 'property', 'refreshAfter'],
  'onUnauthorized',
];
const NAMESPACE = 'auth';

/** @typedef {import('../../../types/sessions').Session} Session */

/**
 * @param {unknown} value
 * @param {string} name
 */
function flag(value, name) {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false', value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {string} what
 */
function optionalFunction(value, name, what) {
  if (value !== undefined && typeof value !== 'function') throw invalid(name, what, value);
  return /** @type {any} */ (value);
}

/** @param {Session} session */
const keyOf = ({ userId, handle }) => (userId === undefined ? `s:${handle}` : `u:${userId}`);

/** @param {unknown} given */
function normalizeOptions(given) {
  const options = knownOptions(given, 'options', KNOWN);
  const {
    sessions,
    name = 'user',
    cookie = 'sid',
    bearer = true,
    required = true,
    property = 'auth',
    refreshAfter = '1m',
  } = options;
  if (!(sessions instanceof Sessions)) throw invalid('sessions', 'what createSessions() gave', sessions);
  if (cookie !== false && (typeof cookie !== 'string' || !COOKIE_NAME.test(cookie))) {
    throw invalid('cookie', 'the name of a cookie, or false', cookie);
  }
  if (cookie === false && !flag(bearer, 'bearer')) {
    throw new TypeError('cookie and bearer: expected at least one of them, got false for both');
  }
  if (typeof property !== 'string' || property === '' || property in Object.prototype) {
    throw invalid('property', 'the name of a property of the request', property);
  }
  if (typeof name !== 'string' || name === '') throw invalid('name', 'a string that is not empty', name);
  const load = optionalFunction(options.load, 'load', 'a function of session and request');
  const cache = options.cache ?? sessions.cache;
  if (load !== undefined && !isCache(cache)) {
    throw invalid('cache', 'a cache made by createCache(), for what load gives', cache);
  }
  return {
    sessions,
    load,
    name,
    users: load === undefined ? undefined : cache.namespace(NAMESPACE),
    key: optionalFunction(options.key, 'key', 'a function of session and request') ?? keyOf,
    ttl: options.ttl === undefined ? undefined : parsePositiveDuration(options.ttl, 'ttl') / 1000,
    cookie,
    bearer: flag(bearer, 'bearer'),
    required: flag(required, 'required'),
    property,
    refreshAfter: refreshAfter === false ? Infinity : parsePositiveDuration(refreshAfter, 'refreshAfter'),
    onUnauthorized: optionalFunction(options.onUnauthorized, 'onUnauthorized', 'a function (req, res, next)') ?? refuse,
  };
}

/** @param {string} userId */
const tagOf = (userId) => `auth:${hashId(userId)}`;

/**
 * @param {unknown} _req
 * @param {any} res
 */
function refuse(_req, res) {
  res.statusCode = 401;
  res.setHeader('WWW-Authenticate', 'Bearer');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end('{"error":"Unauthorized"}');
}

/** @param {unknown} given */
function authMiddleware(given) {
  const options = normalizeOptions(given);
  const { sessions, load, users, required, property, refreshAfter, onUnauthorized } = options;
  // User 42 of other sessions is somebody else.
  const place = sessions.prefix === '' ? [] : [sessions.prefix];

  /**
   * @param {any} req
   * @returns {Promise<{ session: Session, user: any } | undefined>}
   */
  async function authenticate(req) {
    const token = tokenOf(req, options);
    const session = token === undefined ? undefined : await sessions.get(token);
    if (session === undefined) return undefined;
    const user = users === undefined ? undefined : await userOf(session, req);
    // A session whose user is gone is nobody's.
    if (users !== undefined && (user === undefined || user === null)) return undefined;
    refresh(session);
    return { session, user };
  }

  /**
   * @param {Session} session
   * @param {any} req
   */
  function userOf(session, req) {
    const key = options.key(session, req);
    if (typeof key !== 'string' || key === '') throw invalid('key', 'a function that gives a string', key);
    const tags = session.userId === undefined ? [] : [tagOf(session.userId)];
    return /** @type {import('../../cache/cache').CacheInstance} */ (users).getOrSet(
      cacheKey(options.name, ...place, key),
      (/** @type {{ signal: AbortSignal }} */ { signal }) => load(session, req, { signal }),
      // Whether there is such a user is asked again with every request.
      {
        ...(options.ttl === undefined ? {} : { ttl: options.ttl }),
        tags,
        cacheIf: (/** @type {any} */ user) => user !== null,
      },
    );
  }

  /** Nobody waits for it, and a request does not fail because of it. @param {Session} session */
  function refresh(session) {
    const lastUsed = session.lastUsedAt.getTime();
    // In time also for sessions that live shortly.
    const wait = Math.min(refreshAfter, (session.expiresAt.getTime() - lastUsed) / 4);
    if (refreshAfter === Infinity || Date.now() - lastUsed < wait) return;
    sessions.refresh(session).catch((/** @type {Error} */ error) => {
      if (sessions.listenerCount('error') > 0) sessions.emit('error', error);
    });
  }

  /**
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} next
   */
  async function handle(req, res, next) {
    // Nothing that stood there before may count.
    req[property] = undefined;
    try {
      req[property] = await authenticate(req);
    } catch (error) {
      const unavailable = /** @type {any} */ (error)?.code === 'SESSION_UNAVAILABLE';
      if (unavailable) /** @type {any} */ (error).status = 503;
      return unavailable && !required ? next() : next(error);
    }
    if (req[property] !== undefined || !required) return next();
    try {
      return await onUnauthorized(req, res, next);
    } catch (error) {
      return next(error);
    }
  }

  /**
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} next
   */
  function middleware(req, res, next) {
    void handle(req, res, next);
  }

  /**
   * Drops what is known of a user, in all processes.
   * @param {string | number | bigint} userId
   */
  middleware.forget = async (userId) => users?.invalidateTag(tagOf(parseUserId(userId)));

  return middleware;
}

module.exports = { authMiddleware };
