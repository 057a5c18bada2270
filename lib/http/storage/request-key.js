'use strict';
// The key of a request: https://www.rfc-editor.org/rfc/rfc9111.html#section-2
// Scheme, host, path and query, exactly as the app sees them. HEAD shares the key of GET.
// Beside it: by what else, under the same key, the response to a request is told from others.

const { createHash } = require('node:crypto');
const { chooseCoding } = require('./compress');
const { invalid, isPlainObject } = require('../../options/invalid');
const { IDENTITY } = require('../rfc/vary');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {IncomingMessage & { originalUrl?: string }} KeyedRequest */

/**
 * What of a query counts; undefined: all of it, as it is.
 * @typedef {((query: string) => string) | undefined} QueryRule
 */

// What a host may consist of. Anything else ("good.example/x", with the path "/y") could name another page's key.
const HOST = /^[A-Za-z0-9._~[\]:-]*$/;
// URLs may be 16 KB long; keys stay short enough for Redis tools and for the memory budget.
const MAX_KEY_LENGTH = 1024;
/** @type {readonly string[]} */
const NONE = [];

/**
 * @param {any} option 'exact', 'sorted', { allow: names } or { ignore: names, where a name may end in a star }
 * @returns {QueryRule}
 */
function queryRule(option) {
  if (option === undefined || option === 'exact') return undefined;
  if (option === 'sorted') return (query) => sorted(query.split('&')).join('&');
  const list = isPlainObject(option) ? (option.allow ?? option.ignore) : undefined;
  const known = isPlainObject(option) && Object.keys(option).length === 1;
  if (!known || !Array.isArray(list) || !list.every((name) => typeof name === 'string')) {
    throw invalid('query', "'exact', 'sorted', { allow: names } or { ignore: names }", option);
  }
  const names = new Set(list.filter((name) => !name.endsWith('*')));
  const prefixes = list.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  const listed = (/** @type {string} */ pair) => {
    const name = nameOf(pair);
    return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  };
  const keep = option.allow === undefined ? (/** @type {string} */ pair) => !listed(pair) : listed;
  return (query) => query.split('&').filter(keep).join('&');
}

/**
 * By name alone, and stable: what repeats keeps its order, which an app may go by.
 * @param {string[]} pairs
 */
function sorted(pairs) {
  const named = pairs.map((pair) => ({ pair, name: nameOf(pair) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ pair }) => pair);
}

/** @param {string} pair */
function nameOf(pair) {
  const name = pair.split('=', 1)[0];
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}

/**
 * Makes keys of requests and of URLs.
 */
class RequestKeys {
  #space;
  #custom;
  #query;
  /** The last host that was checked: it is nearly always the same. */
  #lastHost = '';
  #lastSecure = false;
  #lastOrigin = '';

  /**
   * @param {string} space keeps the entries of different mounts apart
   * @param {{ key?: (req: import('node:http').IncomingMessage) => string, query?: QueryRule }} options
   */
  constructor(space, { key, query }) {
    this.#space = space;
    this.#custom = key;
    this.#query = query;
  }

  /**
   * undefined for a request that must not have one.
   * @param {KeyedRequest} req
   * @param {number} depth how many mounts it has passed. A mount inside another one has entries of its own: what it
   *   stored was produced behind other middlewares (a login check, say), which an outer mount must not skip by answering
   *   with that entry
   * @returns {string | undefined}
   */
  of(req, depth) {
    const id = this.#custom === undefined ? this.#ofRequest(req) : this.#customOf(req);
    return id === undefined ? undefined : this.#bounded(depth, id);
  }

  /**
   * The key of another URL of the same origin; undefined for one of another.
   * @param {KeyedRequest} req
   * @param {string} reference a URL, whole or relative to that of the request
   * @param {number} depth
   * @returns {string | undefined}
   */
  ofReference(req, reference, depth) {
    if (this.#custom !== undefined) return undefined;
    const origin = this.#originOf(req);
    try {
      const base = new URL(req.originalUrl || req.url || '/', origin);
      const url = new URL(reference, base);
      // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.4
      if (url.origin !== base.origin) return undefined;
      return this.#bounded(depth, this.#withQuery(`${origin}${url.pathname}${url.search}`));
    } catch {
      return undefined;
    }
  }

  /**
   * The keys that a URL may have, of every mount of this kind.
   * @param {string} url whole
   * @returns {string[]}
   * @throws {TypeError}
   */
  ofUrl(url) {
    if (this.#custom !== undefined) throw invalid('url', "nothing: with the option 'key', purge by { key }", url);
    let parsed;
    try {
      parsed = new URL(url);
    } catch {
      throw invalid('url', 'a whole URL such as https://shop.example/products?page=1', url);
    }
    const rest = url.slice(url.indexOf('/', url.indexOf('//') + 2)).split('#', 1)[0];
    // As it is written, when it could be on the wire like that.
    const path = /^\/[\x21-\x7e]*$/.test(rest) ? rest : `${parsed.pathname}${parsed.search}`;
    const id = this.#withQuery(`${parsed.protocol}//${parsed.host}${path}`);
    return [this.#bounded(0, id), this.#bounded(1, id)];
  }

  /**
   * The same for what the `key` option gave.
   * @param {string} key
   * @returns {string[]}
   */
  ofKey(key) {
    return [this.#bounded(0, key), this.#bounded(1, key)];
  }

  /** @param {KeyedRequest} req */
  #ofRequest(req) {
    // Express cuts the mount path from req.url and keeps the whole in originalUrl.
    const url = req.originalUrl || req.url || '';
    // The absolute form names a second host, and which of the two an app believes is its own affair.
    // https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2.2
    if (url.charCodeAt(0) !== 0x2f) return undefined;
    const origin = this.#originOf(req);
    return origin === undefined ? undefined : this.#withQuery(origin + url);
  }

  /** @param {KeyedRequest} req */
  #originOf(req) {
    // https://www.rfc-editor.org/rfc/rfc9113.html#section-8.3.1
    const host = req.headers.host ?? /** @type {string | undefined} */ (req.headers[':authority']) ?? '';
    const secure = /** @type {{ encrypted?: boolean } | undefined} */ (req.socket)?.encrypted === true;
    if (host !== this.#lastHost || secure !== this.#lastSecure || this.#lastOrigin === '') {
      if (!HOST.test(host)) return undefined;
      this.#lastHost = host;
      this.#lastSecure = secure;
      this.#lastOrigin = `${secure ? 'https' : 'http'}://${host.toLowerCase()}`;
    }
    return this.#lastOrigin;
  }

  /** @param {string} url */
  #withQuery(url) {
    const at = this.#query === undefined ? -1 : url.indexOf('?');
    if (at < 0 || this.#query === undefined) return url;
    const query = this.#query(url.slice(at + 1));
    return query === '' ? url.slice(0, at) : `${url.slice(0, at)}?${query}`;
  }

  /**
   * A key function that throws or answers nonsense makes a request uncached, never failed, and never another's.
   * @param {KeyedRequest} req
   */
  #customOf(req) {
    try {
      const key = this.#custom?.(req);
      return typeof key === 'string' && key !== '' ? key : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * @param {number} depth
   * @param {string} id
   */
  #bounded(depth, id) {
    const prefix = depth === 0 ? `${this.#space}:GET:` : `${this.#space}.${depth}:GET:`;
    if (id.length <= MAX_KEY_LENGTH) return prefix + id;
    return `${prefix}#${createHash('sha256').update(id).digest('base64url')}`;
  }
}

/** @typedef {RequestKeys} RequestKeysInstance */

/**
 * Whose answer a request asks for, and by what it is told from others.
 * @param {IncomingMessage} req
 * @param {string} base
 * @param {import('../types').HttpCacheOptions} options
 * @returns {import('../types').Target | undefined} undefined: nobody can say whose answer it gets
 */
function targetOf(req, base, options) {
  const { identity: identify, keyHeaders, rules } = options;
  /** @type {string[] | undefined} */
  let required;
  for (const name of keyHeaders) if (req.headers[name] !== undefined) (required ??= []).push(name);
  if (rules.vary.length > 0) required = [...(required ?? []), ...rules.vary];
  let identity;
  if (identify !== undefined) {
    try {
      // Nobody in particular, whichever way that is said.
      identity = identify(req) || undefined;
    } catch {
      return undefined;
    }
    if (identity !== undefined && typeof identity !== 'string') return undefined;
    required = [...(required ?? []), IDENTITY];
  }
  if (options.compress.length === 0) return { base, req, identity, required: required ?? NONE };
  const coding = chooseCoding(req.headers['accept-encoding'], options.compress);
  const seen = { headers: { ...req.headers, 'accept-encoding': coding } };
  return {
    base,
    req: /** @type {IncomingMessage} */ (seen),
    identity,
    required: [...(required ?? NONE), 'accept-encoding'],
    coding,
  };
}

module.exports = { RequestKeys, queryRule, targetOf };
