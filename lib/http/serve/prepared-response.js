'use strict';
// A stored response made ready for many hits: its fields as Node wants them, and the head that Node made of them, which
// stays the same for as long as Age and the time to live do, a second.

const { ServerResponse } = require('node:http');
const { appendMember } = require('../rfc/cache-status');

/** @typedef {import('../storage/stored-response').Metadata} Metadata */

const { writeHead } = ServerResponse.prototype;
/**
 * Whether this Node keeps the head of a response as a string in `_header`, ready to be sent. A tracer that replaced
 * writeHead before this file was loaded would not hear of the heads that are sent again: then none are.
 */
const REUSABLE = (() => {
  try {
    if (!Function.prototype.toString.call(writeHead).includes('_storeHeader')) return false;
    const request = /** @type {any} */ ({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 });
    const first = /** @type {any} */ (new ServerResponse(request));
    first.writeHead(200, ['Content-Length', '0']);
    const second = /** @type {any} */ (new ServerResponse(request));
    if (second.headersSent || !/^HTTP\/1\.1 200 OK\r\nContent-Length: 0\r\n[^]*\r\n\r\n$/.test(first._header)) {
      return false;
    }
    second._header = first._header;
    return second.headersSent === true;
  } catch {
    return false;
  }
})();

class PreparedResponse {
  #status;
  #message;
  #upstream;
  /** Ready for writeHead; ends with Age and Cache-Status. */
  #list;
  /** @type {Array<[string, string | string[]]> | undefined} the others, for setHeader */
  #fields;
  #age = NaN;
  #member = '';
  #uses = 0;
  // What Node made of it, for connections with this timeout behind layers that have set these fields; '' for none.
  #head = '';
  #statusMessage = '';
  #keepAliveTimeout = NaN;
  /** @type {unknown[]} names and values in turn */
  #outer = [];

  /**
   * @param {Metadata} metadata
   * @param {number} length of the body; -1 for a status that has none
   */
  constructor(metadata, length) {
    this.#status = metadata.status;
    this.#message = metadata.message;
    this.#upstream = metadata.upstream;
    this.#list = metadata.head.slice();
    if (length >= 0) this.#list.push('Content-Length', String(length));
    this.#list.push('Age', '', 'Cache-Status', '');
  }

  /**
   * Answers a request that asks for nothing more than the response: no condition, no part.
   * @param {any} res
   * @param {Buffer | undefined} body undefined: the head alone
   * @param {number} age whole seconds
   * @param {string} member of Cache-Status
   * @returns {boolean} false: somebody watches the head, or Node refuses it; nothing has been sent
   */
  write(res, body, age, member) {
    if (res.writeHead !== writeHead || res.headersSent || res.statusMessage) return false;
    if (age !== this.#age || member !== this.#member) this.#tick(age, member);
    // The second response with this Age is the one to learn from: the first may be the last. And only that one: where
    // outer fields change with every request, it would be in vain.
    const learns = ++this.#uses === 2;
    const names = res.getHeaderNames();
    const known = !learns && this.#isHeadFor(res, names);
    const outer = learns ? names.flatMap((/** @type {string} */ name) => [name, res.getHeader(name)]) : [];
    try {
      if (known) {
        if (names.length > 0) this.#setLogged(res);
        this.#reuseHead(res);
      } else {
        if (names.length > 0) this.#setFields(res);
        this.#writeHead(res, names.length > 0);
      }
    } catch (error) {
      // Fields that Node refuses: the usual way knows what to do.
      if (res.headersSent) throw error;
      return false;
    }
    if (learns) this.#learn(res, outer);
    // A Buffer: after a string, Node would send the head in the string's encoding and spoil latin-1 values.
    if (body === undefined) res.end();
    else res.end(body);
    return true;
  }

  /**
   * @param {number} age
   * @param {string} member
   */
  #tick(age, member) {
    const list = this.#list;
    list[list.length - 3] = String(age);
    list[list.length - 1] = appendMember(this.#upstream, member);
    this.#age = age;
    this.#member = member;
    this.#head = '';
    this.#uses = 0;
  }

  /** @param {any} res */
  #setFields(res) {
    const list = this.#list;
    this.#fields ??= fieldsOf(list, list.length - 4);
    for (const [name, value] of this.#fields) res.setHeader(name, value);
    res.setHeader('Age', list[list.length - 3]);
    res.setHeader('Cache-Status', list[list.length - 1]);
  }

  /**
   * Whoever has set fields before may look at some afterwards: an access log, at these.
   * @param {any} res
   */
  #setLogged(res) {
    const list = this.#list;
    if (list.length > 4 && list[list.length - 6] === 'Content-Length') {
      res.setHeader('Content-Length', list[list.length - 5]);
    }
    res.setHeader('Cache-Status', list[list.length - 1]);
  }

  /**
   * @param {any} res
   * @param {boolean} isSet whether the fields are set already
   */
  #writeHead(res, isSet) {
    const list = isSet ? undefined : this.#list;
    if (this.#message) res.writeHead(this.#status, this.#message, list);
    else res.writeHead(this.#status, list);
  }

  /** @param {any} res */
  #reuseHead(res) {
    res.statusCode = this.#status;
    res.statusMessage = this.#statusMessage;
    res._header = this.#head;
  }

  /**
   * @param {any} res
   * @param {unknown[]} outer
   */
  #learn(res, outer) {
    if (!REUSABLE || !isUsual(res)) return;
    this.#statusMessage = res.statusMessage;
    this.#keepAliveTimeout = res._keepAliveTimeout;
    this.#outer = outer;
    // Node leaves it as a rope of its parts, which would be joined anew for every response that is sent with it.
    this.#head = Buffer.from(res._header, 'latin1').toString('latin1');
  }

  /**
   * @param {any} res
   * @param {string[]} names of the fields that are set
   */
  #isHeadFor(res, names) {
    const outer = this.#outer;
    if (this.#head === '' || res._keepAliveTimeout !== this.#keepAliveTimeout || !isUsual(res)) return false;
    if (names.length * 2 !== outer.length) return false;
    for (let at = 0; at < names.length; at++) {
      if (names[at] !== outer[at * 2] || res.getHeader(names[at]) !== outer[at * 2 + 1]) return false;
    }
    return true;
  }
}

/**
 * @param {readonly string[]} list names and values in turn
 * @param {number} end
 * @returns {Array<[string, string | string[]]>} a repeated name with its lines
 */
function fieldsOf(list, end) {
  /** @type {Map<string, [string, string | string[]]>} */
  const fields = new Map();
  for (let at = 0; at < end; at += 2) {
    const id = list[at].toLowerCase();
    const known = fields.get(id);
    if (known === undefined) fields.set(id, [list[at], list[at + 1]]);
    else known[1] = [known[1], list[at + 1]].flat();
  }
  return [...fields.values()];
}

/**
 * A response whose connection stays open, and of which nothing else depends than is compared: of others, the head may say
 * something else.
 * @param {any} res
 */
function isUsual(res) {
  return (
    res.shouldKeepAlive === true &&
    res.useChunkedEncodingByDefault === true &&
    res._defaultKeepAlive === true &&
    // An outer layer says "Connection: close", and Node has noted it.
    !res._last &&
    !res.maxRequestsOnConnectionReached &&
    !res._maxRequestsPerSocket &&
    !res._removedConnection &&
    !res._expect_continue &&
    !res.strictContentLength
  );
}

/** @type {WeakMap<Metadata, PreparedResponse>} */
const prepared = new WeakMap();

/**
 * The one for this metadata: made once for all who share it.
 * @param {Metadata} metadata nobody changes it
 * @param {number} length
 */
function preparedFor(metadata, length) {
  let found = prepared.get(metadata);
  if (found === undefined) prepared.set(metadata, (found = new PreparedResponse(metadata, length)));
  return found;
}

module.exports = { preparedFor };
