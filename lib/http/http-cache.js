'use strict';
// One request's way: bypass, hit, wait for somebody else's miss, or a miss of its own. Both mounts are this class.

const { STATUS_CODES } = require('node:http');
const { appendMember } = require('./cache-status');
const { Flights } = require('./collapse');
const { fencesOf } = require('./fences');
const policy = require('./policy');
const { recordResponse, onHead } = require('./record-response');
const { keyMaker } = require('./request-key');
const { ResponseHead } = require('./response-head');
const { serve } = require('./serve');
const { toStoredResponse, asEntry, isStoredResponse, etagOf } = require('./stored-response');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./stored-response').ServableEntry} ServableEntry */
/** @typedef {import('./stored-response').StoredResponse} StoredResponse */
/** @typedef {import('./collapse').StartedFlight} Flight */

/**
 * The part of lib/cache/entries.js that is used here.
 * @typedef {object} EntryStore
 * @property {boolean} [available] false while nothing could be stored
 * @property {(key: string) => { payload: Buffer, metadata?: any, age: number, ttl: number } | undefined} peek
 * @property {(key: string) => Promise<{ payload: Buffer, metadata?: any, age: number, ttl: number } | undefined>} read
 * @property {(key: string, entry: { payload: Buffer, metadata: object, ttl: number }) => Promise<boolean>} write
 * @property {(key: string) => Promise<boolean>} remove
 */

/**
 * A GET or HEAD that no entry in memory answered.
 * @typedef {object} Exchange
 * @property {IncomingMessage} req
 * @property {ServerResponse} res
 * @property {string} key
 * @property {() => void} forward runs the rest of the app
 * @property {string} fwd why it is forwarded. https://www.rfc-editor.org/rfc/rfc9211.html#section-2.2
 * @property {number} waits how often it waited for somebody else
 */

// https://www.rfc-editor.org/rfc/rfc9110.html#section-9.2.1; methods that we do not know are unsafe.
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']);
/** On the request: the caches that it has passed. */
const PASSED = Symbol('tiercel.passed');
/** How long a request waits for somebody else's handler before it runs its own, as in nginx. */
const COLLAPSE_TIMEOUT_MS = 5000;
/** A request whose leaders lose their clients again and again runs its own handler in the end. */
const MAX_WAITS = 3;

class HttpCache {
  #store;
  #options;
  #keyOf;
  #fences;
  #flights;

  /**
   * @param {import('./options').HttpCacheOptions} options
   * @param {string} space prefix of the keys
   * @param {number} [collapseTimeout] milliseconds
   */
  constructor(options, space, collapseTimeout = COLLAPSE_TIMEOUT_MS) {
    this.#options = options;
    this.#store = options.store;
    this.#keyOf = keyMaker(space, options.key);
    this.#fences = fencesOf(options.cache);
    this.#flights = new Flights(collapseTimeout);
  }

  /**
   * Answers the request, or calls `forward` once and records what comes of it. Hits in memory are answered at once.
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward
   */
  handle(req, res, forward) {
    /** @type {HttpCache[] | undefined} */
    const passed = /** @type {any} */ (req)[PASSED];
    // Mounted twice in one chain: once is enough.
    if (passed?.includes(this)) return forward();
    const { method } = req;
    const key = this.#keyOf(req, passed?.length ?? 0);
    if (method !== 'GET' && method !== 'HEAD') return this.#passOn(req, res, forward, 'method', key);
    if (key === undefined || !policy.isRequestCacheable(req)) return this.#passOn(req, res, forward, 'bypass');

    const entry = this.#peek(key);
    const exchange = { req, res, key, forward, fwd: 'uri-miss', waits: 0 };
    if (entry !== undefined && this.#answer(exchange, entry)) return;
    markPassed(req, this);
    this.#miss(exchange);
  }

  /**
   * The cache has no part in this request, but for an invalidation that its answer may ask for.
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward
   * @param {string} fwd
   * @param {string} [key] of the page that it may change
   */
  #passOn(req, res, forward, fwd, key) {
    markPassed(req, this);
    const unsafe = key !== undefined && !SAFE_METHODS.has(req.method ?? '');
    onHead(res, (status) => {
      // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.4: when it succeeded, and before its answer leaves.
      if (unsafe && status >= 200 && status < 400) this.#invalidate(key);
      addStatus(res, `${this.#options.name}; fwd=${fwd}`);
    });
    forward();
  }

  /** @param {string} key */
  #invalidate(key) {
    this.#fences.invalidate(key);
    try {
      // Rejects when Redis did not acknowledge it; the cache remembers, and the app's answer does not depend on it.
      this.#store.remove(key).catch(() => {});
    } catch {
      // A closed cache holds nothing that could be served.
    }
  }

  /** @param {string} key */
  #peek(key) {
    try {
      return this.#store.peek(key);
    } catch {
      return undefined;
    }
  }

  /** @param {string} key */
  async #read(key) {
    try {
      return await this.#store.read(key);
    } catch {
      return undefined;
    }
  }

  /**
   * Answers from an entry, if it is a response and this request selects it.
   * @param {Exchange} exchange
   * @param {{ payload: Buffer, metadata?: any, age: number, ttl: number }} entry
   * @param {string} [how]
   * @returns {boolean}
   */
  #answer(exchange, entry, how) {
    if (!isStoredResponse(entry)) return false;
    if (!policy.isSelectedBy(entry.metadata.vary, exchange.req)) {
      exchange.fwd = 'vary-miss';
      return false;
    }
    return serve(exchange.req, exchange.res, entry, this.#options.name, how);
  }

  /** @param {Exchange} exchange */
  #miss(exchange) {
    const { req, key } = exchange;
    const flight = exchange.waits < MAX_WAITS ? this.#flights.find(key) : undefined;
    if (flight === undefined) {
      const fence = this.#fences.raise(key);
      const own = policy.isAnswerShareable(req) ? this.#flights.start(key, fence) : undefined;
      return this.#lookUp(exchange, fence, own);
    }
    // Complete, and on its way into the cache: a hit in all but name.
    const stored = flight.stored && asEntry(flight.stored, Date.now());
    if (stored !== undefined && this.#answer(exchange, stored)) return;
    exchange.waits++;
    flight.wait().then((outcome) => this.#landed(exchange, outcome));
  }

  /**
   * The request that this one waited for has come to an end.
   * @param {Exchange} exchange
   * @param {import('./collapse').Outcome} outcome
   */
  #landed(exchange, outcome) {
    if (exchange.res.destroyed) return;
    if (outcome.end === 'aborted') return this.#miss(exchange);
    if (outcome.end === 'found' && this.#answer(exchange, outcome.entry)) return;
    if (outcome.end === 'stored') {
      const entry = asEntry(outcome.stored, Date.now());
      // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.6
      if (entry !== undefined && this.#answer(exchange, entry, `fwd=${exchange.fwd}; collapsed`)) return;
    }
    this.#forward(exchange, this.#fences.raise(exchange.key));
  }

  /**
   * Asks the second tier.
   * @param {Exchange} exchange
   * @param {import('./fences').RaisedFence} fence
   * @param {Flight} [flight]
   */
  #lookUp(exchange, fence, flight) {
    const { key, res } = exchange;
    const giveUp = (/** @type {import('./collapse').Outcome} */ outcome) => {
      this.#fences.lower(key, fence);
      if (flight === undefined) return;
      this.#flights.remove(key, flight);
      flight.finish(outcome);
    };
    // No catch: #read never rejects, and what the app throws must surface as it would without us.
    this.#read(key).then((entry) => {
      // The client left meanwhile. Nobody would see the answer.
      if (res.destroyed) return giveUp({ end: 'aborted' });
      if (entry !== undefined && this.#answer(exchange, entry)) {
        return giveUp({ end: 'found', entry: /** @type {ServableEntry} */ (entry) });
      }
      this.#forward(exchange, fence, flight);
    });
  }

  /**
   * Runs the handler, and stores what it answers if that may be stored.
   * @param {Exchange} exchange
   * @param {import('./fences').RaisedFence} fence
   * @param {Flight} [flight] of those who wait for it
   */
  #forward({ req, res, key, forward, fwd }, fence, flight) {
    const { name, ttlMs, maxBodyBytes } = this.#options;
    const outer = fieldsOf(res);
    let head = new ResponseHead(0, []);
    /** @param {import('./response-head').Head} candidate */
    const isStorable = (candidate) =>
      policy.isResponseStorable(candidate, req) && policy.freshness(candidate, ttlMs, Date.now()).ttlMs > 0;
    /** @param {import('./collapse').Outcome} outcome */
    const finish = (outcome) => {
      this.#fences.lower(key, fence);
      if (flight === undefined) return;
      this.#flights.remove(key, flight);
      flight.finish(outcome);
    };

    recordResponse(res, maxBodyBytes, {
      onHead: (candidate, { fits, body }) => {
        const kept = fits && policy.isAnswerKept(req) && isStorable(candidate);
        if (kept) {
          completeHead(res, candidate, body);
          head = ResponseHead.of(res, candidate.status);
        }
        // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.5, as far as can be told before the body is complete.
        addStatus(
          res,
          `${name}; fwd=${fwd}${kept && fence.holds && this.#store.available !== false ? '; stored' : ''}`,
        );
        return kept;
      },
      // Outer layers add their fields last (a session its cookie), and may forbid what looked storable.
      onCommitted: isStorable,
      onComplete: (body) => {
        const message = res.statusMessage === STATUS_CODES[head.status] ? '' : res.statusMessage;
        const stored = toStoredResponse({ head, message, body, req, outer }, ttlMs, Date.now());
        flight?.finish({ end: 'stored', stored });
        // An unsafe request succeeded while the handler ran.
        if (!fence.holds || stored.ttlMs <= 0) return finish({ end: 'stored', stored });
        // Until it is written, requests are answered from the flight.
        this.#write(key, stored).then(() => finish({ end: 'stored', stored }));
      },
      onDropped: (reason) => finish({ end: reason }),
    });
    // Out of the promise: what the app throws stays an uncaught exception, as it would be without us.
    queueMicrotask(forward);
  }

  /**
   * @param {string} key
   * @param {StoredResponse} stored
   */
  async #write(key, { payload, metadata, ttlMs }) {
    try {
      await this.#store.write(key, { payload, metadata, ttl: ttlMs / 1000 });
    } catch {
      // Not stored: the next request runs the handler again.
    }
  }
}

/**
 * @param {IncomingMessage} req
 * @param {HttpCache} cache
 */
function markPassed(req, cache) {
  const marked = /** @type {{ [PASSED]?: HttpCache[] }} */ (req);
  (marked[PASSED] ??= []).push(cache);
}

/**
 * The fields that are set already, with their lines.
 * @param {ServerResponse} res
 * @returns {Map<string, string>}
 */
function fieldsOf(res) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const { id, lines } of ResponseHead.of(res, 0).fields()) fields.set(id, lines.join('\n'));
  return fields;
}

/**
 * Gives a response that is to be stored the fields that its later readers will see, so that the first reader does too.
 * @param {ServerResponse} res
 * @param {import('./response-head').Head} head
 * @param {Buffer | undefined} body when it is known before the head is sent
 */
function completeHead(res, head, body) {
  // https://www.rfc-editor.org/rfc/rfc9110.html#section-6.6.1: Node would add its own when it sends.
  if (res.sendDate && !head.has('date')) res.setHeader('Date', new Date().toUTCString());
  if (body !== undefined && head.status === 200 && !head.has('etag')) res.setHeader('ETag', etagOf(body));
}

/**
 * @param {ServerResponse} res
 * @param {string} member
 */
function addStatus(res, member) {
  const before = res.getHeader('cache-status');
  res.setHeader('Cache-Status', appendMember(Array.isArray(before) ? before.join(', ') : before, member));
}

module.exports = { HttpCache };
