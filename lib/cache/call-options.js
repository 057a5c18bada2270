'use strict';
// The options of one call, checked, with the cache's defaults filled in. All durations in milliseconds.
const { invalid, isPlainObject } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { parseTags } = require('../options/tags');
const { parseComputedTtl, parseTtl, parseWindow } = require('../options/ttl');

const WRITE = ['ttl', 'jitter', 'staleWhileRevalidate', 'staleIfError', 'tags'];
const LOAD = [...WRITE, 'refreshAhead', 'timeout', 'softTimeout', 'errorBackoff', 'cacheIf', 'signal'];

const AHEAD = "a share of the ttl between 0 and 1, a duration before its end such as '10s', 'xfetch' or false";

/** @typedef {import('./types').CallDefaults} CallDefaults */

/** @typedef {import('../store/types').Windows} Windows */

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
  if (typeof value === 'string') return parseDuration(value, name, AHEAD);
  throw invalid(name, AHEAD, value);
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
    this.ttl = ttlOf(ttl, defaults, known === LOAD);
    this.jitter = jitter === undefined ? defaults.jitter : parseJitter(jitter, 'jitter');
    this.staleWhileRevalidate = windowOf(staleWhileRevalidate, defaults, 'staleWhileRevalidate');
    this.staleIfError = windowOf(staleIfError, defaults, 'staleIfError');
    this.ahead = refreshAhead === undefined ? defaults.refreshAhead : parseRefreshAhead(refreshAhead, 'refreshAhead');
    this.timeout = timeout === undefined ? defaults.timeout : parsePositiveDuration(timeout, 'timeout');
    this.softTimeout =
      softTimeout === undefined ? defaults.softTimeout : parsePositiveDuration(softTimeout, 'softTimeout');
    this.errorBackoff =
      errorBackoff === undefined ? defaults.errorBackoff : parseDuration(errorBackoff, 'errorBackoff');
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
 * @param {CallDefaults} defaults
 * @param {'staleWhileRevalidate' | 'staleIfError'} name
 */
function windowOf(given, defaults, name) {
  return given === undefined ? defaults[name] : parseWindow(given, name, defaults.maxTtl);
}

/**
 * @param {any} given
 * @param {CallDefaults} defaults
 * @param {boolean} mayBeFunction
 * @returns {number | ((value: any) => number)}
 */
function ttlOf(given, { ttl, maxTtl }, mayBeFunction) {
  if (given === undefined) return ttl;
  if (mayBeFunction && typeof given === 'function') return (value) => parseComputedTtl(given(value), 'ttl', maxTtl);
  return parseTtl(given, 'ttl', maxTtl);
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

/** So many values of one option are known to be valid. */
const MOST_KNOWN = 1000;

/** @param {unknown} tag */
const isUsualTag = (tag) => typeof tag === 'string' && tag !== '' && tag.length <= 256;

/**
 * Whether an option is seen to be valid at a glance: what it is, or that the same value has been checked before.
 * @param {string} name
 * @param {any} value
 * @param {CallDefaults} defaults
 */
function isKnown(name, value, { checked }) {
  if (value === undefined) return true;
  switch (name) {
    case 'tags':
      return typeof value === 'function' || (Array.isArray(value) && value.every(isUsualTag));
    case 'cacheIf':
      return typeof value === 'function';
    case 'signal':
      return value instanceof AbortSignal;
    default:
      return (name === 'ttl' && typeof value === 'function') || checked.get(name)?.has(value) === true;
  }
}

/**
 * @param {any} given options that are valid, or a ttl
 * @param {CallDefaults} defaults
 */
function noteChecked(given, { checked }) {
  const options = isPlainObject(given) ? given : { ttl: given };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === 'object' || typeof value === 'function') continue;
    let values = checked.get(name);
    if (values === undefined) checked.set(name, (values = new Set()));
    if (values.size < MOST_KNOWN) values.add(value);
  }
}

/**
 * Throws for options of a load that are not valid, and for a signal that is aborted. Hits come by here: what was checked
 * before costs little.
 * @param {any} given not undefined
 * @param {CallDefaults} defaults
 */
function checkLoadOptions(given, defaults) {
  const known = isPlainObject(given)
    ? Object.keys(given).every((name) => isKnown(name, given[name], defaults))
    : isKnown('ttl', given, defaults);
  if (!known) {
    loadOptions(given, defaults);
    noteChecked(given, defaults);
  }
  given?.signal?.throwIfAborted();
}

/** @typedef {CallOptions} CallOptionsInstance */

module.exports = { checkLoadOptions, writeOptions, loadOptions, parseJitter, parseRefreshAhead, LOAD };
