'use strict';
// One request's way: bypass, hit, or miss. Both mounts are this class; what each step does is said in the file of its name.

const { addStatus } = require('../rfc/cache-status');
const { offerCacheTags } = require('../record/cache-tags');
const { onHead } = require('../record/response-methods');
const { RequestContext, isOurs } = require('../record/request-context');
const { Invalidations } = require('../storage/invalidations');
const { MissHandler } = require('./handle-miss');
const { Mount } = require('../mount');
const policy = require('../rfc/policy');
const { targetOf } = require('../storage/request-key');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../record/request-context').RequestContextInstance} RequestContextInstance */
/** @typedef {import('./background-revalidation').Rerun} Rerun */

// https://www.rfc-editor.org/rfc/rfc9110.html#section-9.2.1; methods that we do not know are unsafe.
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);
/** On the request: the caches that it has passed. */
const PASSED = Symbol('tiercel.passed');

/**
 * @param {IncomingMessage} req
 * @param {object} cache
 */
function markPassed(req, cache) {
  const marked = /** @type {{ [PASSED]?: object[] }} */ (req);
  (marked[PASSED] ??= []).push(cache);
}

class HttpCache {
  #mount;
  #options;
  #misses;
  #invalidations;

  /**
   * @param {import('../options').HttpCacheOptions} options
   * @param {string} space prefix of the keys
   */
  constructor(options, space) {
    this.#options = options;
    this.#mount = new Mount(options, space);
    this.#misses = new MissHandler(this.#mount);
    this.#invalidations = new Invalidations(this.#mount);
  }

  /**
   * Answers the request, or calls `forward` once and records what comes of it. Hits in memory are answered at once.
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward
   * @param {Rerun} [rerun]
   */
  handle(req, res, forward, rerun) {
    if (isOurs(req, this.#mount, forward)) return;
    const passed = /** @type {{ [PASSED]?: object[] }} */ (req)[PASSED];
    // Mounted twice in one chain: once is enough.
    if (passed?.includes(this)) return forward();
    const { method } = req;
    const depth = passed?.length ?? 0;
    const base = this.#mount.keys.of(req, depth);
    if (method !== 'GET' && method !== 'HEAD') {
      if (SAFE_METHODS.has(method ?? '')) return this.#passOn(req, res, forward, 'method', 'method');
      markPassed(req, this);
      offerCacheTags(req, res);
      return this.#invalidations.watch(req, res, forward, base, depth);
    }
    if (base === undefined) return this.#passOn(req, res, forward, 'bypass', 'key');
    // The responses of node:http2 have other insides: they are neither recorded nor answered here.
    if (req.httpVersionMajor > 1) return this.#passOn(req, res, forward, 'bypass', 'http2');
    const reason = policy.bypassReason(req);
    if (reason !== undefined) return this.#passOn(req, res, forward, 'bypass', reason);
    const target = targetOf(req, base, this.#options);
    if (target === undefined) return this.#passOn(req, res, forward, 'bypass', 'identity');
    const { slot, found } = this.#mount.store.peek(target);
    if (found !== undefined && this.#mount.responder.atOnce(req, res, found, target)) return;
    const exchange = new RequestContext(req, res, forward, target, depth);
    exchange.rerun = rerun;
    if (found !== undefined && this.#mount.responder.from(exchange, slot, found, 'memory')) return;
    if (found === undefined && slot.marker !== undefined) exchange.fwd = 'vary-miss';
    if (this.#options.rules.requestDirectives && policy.isOnlyIfCached(req)) return this.#refuseUncached(exchange);
    markPassed(req, this);
    this.#misses.take(exchange, slot);
  }

  /**
   * As Invalidations.purge().
   * @param {import('../storage/invalidations').Purge} what
   */
  async purge(what) {
    await this.#invalidations.purge(what);
  }

  stats() {
    return this.#mount.metrics.snapshot();
  }

  /**
   * The cache has no part in this request.
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward
   * @param {string} fwd
   * @param {string} reason
   */
  #passOn(req, res, forward, fwd, reason) {
    markPassed(req, this);
    offerCacheTags(req, res);
    onHead(res, (status) => {
      addStatus(res, `${this.#options.name}; fwd=${fwd}`);
      this.#mount.metrics.count(req, 'bypass', { status, reason });
    });
    forward();
  }

  /**
   * https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2.1.7
   * @param {RequestContextInstance} exchange
   */
  #refuseUncached({ req, res, started }) {
    addStatus(res, `${this.#options.name}; fwd=request; detail=only-if-cached`);
    res.writeHead(504);
    res.end();
    this.#mount.metrics.count(req, 'miss', { status: 504, reason: 'only-if-cached', started });
  }
}

/** @typedef {HttpCache} HttpCacheInstance */

module.exports = { HttpCache };
