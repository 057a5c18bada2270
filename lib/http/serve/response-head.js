'use strict';
// The head of a response as it is about to be sent: status, and fields with their names and lines as the app wrote them.

/** @typedef {import('../types').Field} Field */

class ResponseHead {
  /** @type {Map<string, Field>} */
  #fields = new Map();

  /**
   * @param {number} status
   * @param {Iterable<readonly [string, number | string | readonly string[]]>} fields
   */
  constructor(status, fields) {
    this.status = status;
    for (const [name, value] of fields) {
      const lines = Array.isArray(value) ? value.map(String) : [String(value)];
      this.#fields.set(name.toLowerCase(), { name, id: name.toLowerCase(), lines });
    }
  }

  /**
   * @param {import('node:http').ServerResponse} res
   * @param {number} status
   */
  static of(res, status) {
    /** @type {Array<[string, number | string | string[]]>} */
    const fields = [];
    // @types/node has getRawHeaderNames on ClientRequest only; OutgoingMessage has it since Node 15.4.
    for (const name of /** @type {any} */ (res).getRawHeaderNames()) {
      const value = res.getHeader(name);
      if (value !== undefined) fields.push([name, value]);
    }
    return new ResponseHead(status, fields);
  }

  /** @param {string} id */
  has(id) {
    return this.#fields.has(id);
  }

  /**
   * All lines of a field as one list.
   * @param {string} id
   */
  get(id) {
    const lines = this.#fields.get(id)?.lines;
    return lines === undefined || lines.length === 1 ? lines?.[0] : lines.join(', ');
  }

  /**
   * @param {string} id
   * @returns {readonly string[]}
   */
  lines(id) {
    return this.#fields.get(id)?.lines ?? [];
  }

  /**
   * @param {string} name
   * @param {string[]} lines
   */
  set(name, lines) {
    this.#fields.set(name.toLowerCase(), { name, id: name.toLowerCase(), lines });
  }

  /** @param {string} id */
  delete(id) {
    this.#fields.delete(id);
  }

  fields() {
    return this.#fields.values();
  }
}

/** @typedef {ResponseHead} Head */

/**
 * Whether a head is that of what is stored.
 * @param {import('../storage/stored-response').Usable} stored
 * @param {Head} head
 */
function isHeadOf({ payload, metadata }, head) {
  const length = head.get('content-length');
  const etag = head.get('etag');
  const modified = head.get('last-modified');
  if (etag !== undefined && etag !== (metadata.plainEtag ?? metadata.etag)) return false;
  if (modified !== undefined && modified !== metadata.modified) return false;
  return length === undefined || metadata.plainEtag !== undefined || Number(length) === payload.length;
}

/** @param {Head} head */
function validatorsOf(head) {
  const field = (/** @type {string} */ name) => head.get(name) ?? '';
  return { status: head.status, etag: field('etag'), modified: field('last-modified'), date: field('date') };
}

/**
 * The fields that are set already, with their lines.
 * @param {import('node:http').ServerResponse} res
 * @returns {Map<string, string>}
 */
function fieldsOf(res) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  if (res.getHeaderNames().length === 0) return fields;
  for (const { id, lines } of ResponseHead.of(res, 0).fields()) fields.set(id, lines.join('\n'));
  return fields;
}

module.exports = { ResponseHead, isHeadOf, validatorsOf, fieldsOf };
