'use strict';
// In development: a warning when a handler reads a request field by which its stored response is not told from others.
// HTTP cannot mend that: the response has to say Vary, or the option has to name the field.

/** @typedef {import('./request-context').RequestContextInstance} RequestContext */

// Read by frameworks and loggers as they go, or no part of what a page shows.
const HARMLESS = new Set([
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'content-type',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'via',
  'date',
  'dnt',
  'cache-control',
  'pragma',
  'if-none-match',
  'if-modified-since',
  // With one of these, a request is neither answered nor stored.
  'if-match',
  'if-unmodified-since',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'if-range',
  'range',
  'referer',
  'user-agent',
  'traceparent',
  'tracestate',
  'x-request-id',
  'x-correlation-id',
  'x-forwarded-for',
  'x-real-ip',
]);
const MAX_WARNINGS = 100;

/**
 * Not toJSON, constructor and the like.
 * @param {string | symbol} name
 * @returns {name is string}
 */
function isFieldName(name) {
  return typeof name === 'string' && name === name.toLowerCase() && !(name in Object.prototype);
}

class UnkeyedHeaders {
  /** @type {WeakMap<object, Set<string>>} */
  #read = new WeakMap();
  /** @type {WeakMap<object, import('node:http').IncomingHttpHeaders>} */
  #plain = new WeakMap();
  /** @type {Set<string>} */
  #warned = new Set();
  #keyed;

  /** @param {readonly string[]} keyed names by which answers are told apart where a request has them */
  constructor(keyed) {
    this.#keyed = keyed;
  }

  /**
   * Notes which fields the handler looks at from now on.
   * @param {RequestContext} exchange
   */
  watch({ req }) {
    const { headers } = req;
    /** @type {Set<string>} */
    const read = new Set();
    this.#read.set(req, read);
    this.#plain.set(req, headers);
    // Whoever copies all of them decides nothing by that: each may be read once more behind a look at their names.
    /** @type {Set<string | symbol>} */
    let copied = new Set();
    req.headers = new Proxy(headers, {
      get(target, name) {
        // Absent or not: what is decided by its absence is decided by it.
        if (isFieldName(name) && !copied.delete(name)) read.add(name);
        return Reflect.get(target, name);
      },
      ownKeys(target) {
        const names = Reflect.ownKeys(target);
        copied = new Set(names);
        return names;
      },
    });
  }

  /**
   * What is read from now on is for loggers and for layers outside of us: the response is made.
   * @param {RequestContext} exchange
   */
  stop({ req }) {
    const headers = this.#plain.get(req);
    if (headers !== undefined) req.headers = headers;
    this.#plain.delete(req);
  }

  /**
   * @param {RequestContext} exchange whose answer is about to be stored
   * @param {readonly string[]} names by which it is selected
   */
  check({ req, target }, names) {
    for (const name of this.#read.get(req) ?? []) {
      if (HARMLESS.has(name) || names.includes(name) || this.#keyed.includes(name)) continue;
      if (target.identity !== undefined) continue;
      const path = (req.url ?? '').split('?', 1)[0];
      const text = `${name} ${path}`;
      if (this.#warned.has(text) || this.#warned.size >= MAX_WARNINGS) continue;
      this.#warned.add(text);
      process.emitWarning(
        `The handler of ${path} read the request header '${name}', and its answer is stored for requests with any ` +
          `other value of it. Answer with 'Vary: ${name}', or name it in the option 'vary' of cacheResponse.`,
        { type: 'TiercelWarning', code: 'TIERCEL_UNKEYED_HEADER' },
      );
    }
  }
}

module.exports = { UnkeyedHeaders };
