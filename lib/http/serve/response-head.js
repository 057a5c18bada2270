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

module.exports = { ResponseHead };
