'use strict';
// The options of one call, checked, with the cache's defaults filled in. All durations in milliseconds.
const { invalid, isPlainObject } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { parseTags } = require('../options/tags');

const WRITE = ['ttl', 'jitter', 'staleWhileRevalidate', 'staleIfError', 'tags'];
const LOAD = [...WRITE, 'refreshAhead', 'timeout', 'softTimeout', 'errorBackoff', 'cacheIf', 'signal'];

/** @typedef {import('./types').CallDefaults} CallDefaults */

/** @typedef {import('./types').Windows} Windows */

/**
 * @param {any} value
 * @param {string} name
 */
function parseJitter(value, name) {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw invalid(name, 'a share from 0 to 1', value);
  return value;
}

/**
 * @param {any} value
 * @param {string} name
 * @returns {number}
 */
function parseRefreshAhead(value, name) {
  if (value === false) return 0;
  if (value === 'xfetch') return Number.NaN;
  if (typeof value === 'number' && value > 0 && value < 1) return -value;
  if (typeof value === 'string') return parseDuration(value, name);
  throw invalid(
    name,
    "a share of the ttl between 0 and 1, a duration before its end such as '10s', 'xfetch' or false",
    value,
  );
}

/** @type {readonly string[]} */
const NO_TAGS = [];

/** What one call of set, setMany or a load asks for. */
class CallOptions {
  /** @type {number | ((value: any) => number)} */
  ttl;
  /** @type {readonly string[] | ((value: any, context: any) => string[])} */
  tags = NO_TAGS;
  /** @type {((value: any) => boolean) | undefined} */
  cacheIf = undefined;
  /** @type {AbortSignal | undefined} */
  signal = undefined;
  // Whether the call asks for something that a hit has to be looked at for.
  ahead;

  /**
   * @param {any} given the options, or a ttl
   * @param {CallDefaults} defaults
   * @param {readonly string[]} known
   */
  constructor(given, defaults, known) {
    this.maxTtl = defaults.maxTtl;
    this.leaseTimeout = defaults.leaseTimeout;
    const options =
      given === undefined || isPlainObject(given) ? knownOptions(given ?? {}, 'options', known) : undefined;
    const { ttl, jitter, staleWhileRevalidate, staleIfError, refreshAhead, timeout, softTimeout, errorBackoff } =
      options ?? { ttl: given };
    this.ttl = parseTtl(ttl, defaults.ttl, known === LOAD);
    this.jitter = jitter === undefined ? defaults.jitter : parseJitter(jitter, 'jitter');
    this.staleWhileRevalidate = or(staleWhileRevalidate, defaults.staleWhileRevalidate, 'staleWhileRevalidate');
    this.staleIfError = or(staleIfError, defaults.staleIfError, 'staleIfError');
    this.ahead = refreshAhead === undefined ? defaults.refreshAhead : parseRefreshAhead(refreshAhead, 'refreshAhead');
    this.timeout = timeout === undefined ? defaults.timeout : parsePositiveDuration(timeout, 'timeout');
    this.softTimeout =
      softTimeout === undefined ? defaults.softTimeout : parsePositiveDuration(softTimeout, 'softTimeout');
    this.errorBackoff = or(errorBackoff, defaults.errorBackoff, 'errorBackoff');
    if (options === undefined) return;
    if (options.tags !== undefined) {
      this.tags = known === LOAD && typeof options.tags === 'function' ? options.tags : parseTags(options.tags, 'tags');
    }
    if (options.cacheIf !== undefined && typeof options.cacheIf !== 'function') {
      throw invalid('cacheIf', 'a function of the value', options.cacheIf);
    }
    this.cacheIf = options.cacheIf;
    if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
      throw invalid('signal', 'an AbortSignal', options.signal);
    }
    this.signal = options.signal;
  }

  /** @returns {readonly string[]} those that are known before the load */
  get knownTags() {
    return typeof this.tags === 'function' ? NO_TAGS : this.tags;
  }

  /** How long a lease of this call lasts without being renewed. */
  get lease() {
    return this.leaseTimeout;
  }

  /**
   * @param {number} ttl ms
   * @returns {Windows}
   */
  windows(ttl) {
    const jittered = this.jitter === 0 ? ttl : Math.max(1, Math.round(ttl * (1 - this.jitter * Math.random())));
    const fresh = Math.min(jittered, this.maxTtl);
    const stale = Math.min(fresh + this.staleWhileRevalidate, this.maxTtl);
    return { fresh, stale, keep: Math.min(Math.max(stale, fresh + this.staleIfError), this.maxTtl) };
  }
}

/**
 * @param {any} given
 * @param {number} otherwise
 * @param {string} name
 */
function or(given, otherwise, name) {
  return given === undefined ? otherwise : parseDuration(given, name);
}

/**
 * @param {any} given
 * @param {number} otherwise
 * @param {boolean} mayBeFunction
 * @returns {number | ((value: any) => number)}
 */
function parseTtl(given, otherwise, mayBeFunction) {
  if (given === undefined) return otherwise;
  if (mayBeFunction && typeof given === 'function') {
    return (value) => parsePositiveDuration(given(value), 'ttl');
  }
  return parsePositiveDuration(given, 'ttl');
}

/**
 * @param {any} given
 * @param {CallDefaults} defaults
 */
const writeOptions = (given, defaults) => new CallOptions(given, defaults, WRITE);

/**
 * @param {any} given
 * @param {CallDefaults} defaults
 */
const loadOptions = (given, defaults) => new CallOptions(given, defaults, LOAD);

/** @typedef {CallOptions} CallOptionsInstance */

module.exports = { writeOptions, loadOptions, parseJitter, parseRefreshAhead, LOAD };
