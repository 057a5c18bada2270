'use strict';
// Options of cacheResponse: checked once, when it is mounted, so that a mistake is an error at start and not a slow site.

const { parseTags } = require('../options/tags');
const { byteEntriesOf } = require('../store/byte-entries');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { parseSize } = require('../options/size');
const { nameItem } = require('./rfc/cache-status');
const { queryRule } = require('./storage/request-key');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */

/** @typedef {import('./types').Rules} Rules */

/** @typedef {import('./types').HttpCacheOptions} HttpCacheOptions */

const KNOWN = [
  'cache',
  'profile',
  'name',
  'ttl',
  'maxBodyBytes',
  'key',
  'query',
  'vary',
  'identity',
  'keyHeaders',
  'tags',
  'targets',
  'heuristics',
  'storeSetCookie',
  'partial',
  'storePost',
  'requestDirectives',
  'lenientDates',
  'staleWhileRevalidate',
  'staleIfError',
  'staleIfDisconnected',
  'retain',
  'collapse',
  'leaseTimeout',
  'hitForMiss',
  'compress',
  'serverTiming',
  'warnings',
  'log',
  'route',
];
// What differs between the profiles is what a standard asks for and an app in front of real users should not do.
const PROFILES = {
  safe: { storeSetCookie: false, partial: false, lenientDates: false },
  standards: { storeSetCookie: true, partial: true, lenientDates: true },
};
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
const HOUR_MS = 60 * 60 * 1000;
// Fields that proxies set and apps build links from: a response may depend on them without saying so.
const KEY_HEADERS = ['forwarded', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-proto'];
const CODINGS = ['br', 'gzip', 'zstd'];
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @type {object | undefined} */
let sharedCache;

/** One cache for all mounts that name none; made by the first of them. */
function defaultCache() {
  // Required here: lib/cache must not be loaded, nor an environment variable read, by the mere import of lib/http.
  sharedCache ??= require('../cache').createCache();
  return /** @type {object} */ (sharedCache);
}

/**
 * @param {unknown} options
 * @returns {HttpCacheOptions}
 * @throws {TypeError} naming the option that is not valid
 */
function parseOptions(options = {}) {
  const given = knownOptions(options, 'cacheResponse options', KNOWN);
  const { cache, name = 'tiercel', profile = 'safe' } = given;
  if (profile !== 'safe' && profile !== 'standards') throw invalid('profile', "'safe' or 'standards'", profile);
  const item = typeof name === 'string' ? nameItem(name) : undefined;
  if (item === undefined) throw invalid('name', 'a string of printable ASCII characters', name);
  const duration = (/** @type {string} */ option, /** @type {number} */ otherwise) =>
    given[option] === undefined ? otherwise : parseDuration(given[option], option);
  const flag = (/** @type {string} */ option, /** @type {boolean} */ otherwise) => {
    const value = given[option] ?? otherwise;
    if (typeof value !== 'boolean') throw invalid(option, 'true or false', value);
    return value;
  };
  const call = (/** @type {string} */ option, /** @type {string} */ what) => {
    const value = given[option];
    if (value !== undefined && typeof value !== 'function') throw invalid(option, what, value);
    return value;
  };
  const preset = PROFILES[/** @type {'safe' | 'standards'} */ (profile)];
  /** @type {Rules} */
  const rules = {
    ttl: given.ttl === undefined ? undefined : parseDuration(given.ttl, 'ttl'),
    targets: fieldNames(given.targets ?? ['CDN-Cache-Control'], 'targets'),
    vary: fieldNames(given.vary ?? [], 'vary'),
    heuristics: flag('heuristics', true),
    storeSetCookie: flag('storeSetCookie', preset.storeSetCookie),
    partial: flag('partial', preset.partial),
    storePost: flag('storePost', true),
    requestDirectives: flag('requestDirectives', false),
    lenientDates: flag('lenientDates', preset.lenientDates),
    staleWhileRevalidate: duration('staleWhileRevalidate', 0),
    staleIfError: duration('staleIfError', 0),
    staleIfDisconnected: duration('staleIfDisconnected', HOUR_MS),
    retain: duration('retain', HOUR_MS),
  };
  const parsed = {
    rules,
    name: item,
    maxBodyBytes:
      given.maxBodyBytes === undefined ? DEFAULT_MAX_BODY_BYTES : parseSize(given.maxBodyBytes, 'maxBodyBytes'),
    key: call('key', 'a function from a request to a string'),
    identity: call('identity', 'a function from a request to a string that says whose answer it gets'),
    keyHeaders: fieldNames(given.keyHeaders ?? KEY_HEADERS, 'keyHeaders'),
    query: queryRule(given.query),
    tags: tagsOption(given.tags),
    collapse: given.collapse === false ? 0 : given.collapse === true ? 5000 : duration('collapse', 5000),
    leaseFor: given.leaseTimeout === undefined ? 2_000 : parsePositiveDuration(given.leaseTimeout, 'leaseTimeout'),
    hitForMiss: duration('hitForMiss', 2000),
    compress: codings(given.compress),
    serverTiming: flag('serverTiming', false),
    warnings: flag('warnings', process.env.NODE_ENV !== 'production'),
    log:
      given.log === true ? logLine : given.log === false ? undefined : call('log', 'true, or a function of one event'),
    route: call('route', 'a function from a request to the name of its route'),
  };
  // Last, so that a wrong option never leaves an opened cache behind.
  const target = cache === undefined ? defaultCache() : cache;
  return { cache: target, store: byteEntriesOf(target), ...parsed };
}

/**
 * @param {unknown} names
 * @param {string} option
 * @returns {string[]} in lower case
 */
function fieldNames(names, option) {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && FIELD_NAME.test(name))) {
    throw invalid(option, 'an array of header field names', names);
  }
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** @param {any} tags */
function tagsOption(tags) {
  if (tags === undefined) return undefined;
  if (typeof tags === 'function') return (/** @type {IncomingMessage} */ req) => parseTags(tags(req), 'tags');
  const fixed = parseTags(tags, 'tags');
  return () => fixed;
}

/** @param {any} compress */
function codings(compress) {
  if (compress === undefined || compress === false) return [];
  const wanted = compress === true ? ['br', 'gzip'] : compress;
  if (!Array.isArray(wanted) || !wanted.every((coding) => CODINGS.includes(coding))) {
    throw invalid('compress', `true, false or an array of ${CODINGS.join(', ')}`, compress);
  }
  if (wanted.includes('zstd') && typeof (/** @type {any} */ (require('node:zlib')).zstdCompress) !== 'function') {
    throw invalid('compress', "codings that this Node has ('zstd' came with 22.15)", compress);
  }
  return wanted;
}

/** @param {{ method: string, url: string, status: number, outcome: string, detail: string, age: number }} event */
function logLine({ method, url, status, outcome, detail, age }) {
  // One line, whatever the client put into its URL.
  console.log(
    `${method} ${JSON.stringify(url).slice(1, -1)} ${status} ${outcome}${detail && ` ${detail}`} age=${age}s`,
  );
}

module.exports = { parseOptions };
