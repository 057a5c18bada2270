'use strict';
// What the cache survived, for the logger: each kind at most once in a while, because an outage is one thing to know and
// not one for every request.

const QUIET_MS = 10_000;

class Complaints {
  #logger;
  /** @type {Map<string, { at: number, more: number }>} */
  #last = new Map();

  /** @param {import('../../types').Logger | undefined} logger */
  constructor(logger) {
    this.#logger = logger;
  }

  /**
   * @param {string} kind
   * @param {string} message
   */
  about(kind, message) {
    if (this.#logger === undefined) return;
    const now = performance.now();
    const last = this.#last.get(kind);
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.more++;
      return;
    }
    this.#last.set(kind, { at: now, more: 0 });
    const more = last === undefined || last.more === 0 ? '' : ` (and ${last.more} more like the one before)`;
    try {
      this.#logger.warn(`tiercel: ${message}${more}`);
    } catch {
      // A logger that throws must not fail what it is told about, and there is nobody else to tell.
    }
  }
}

/** @typedef {Complaints} ComplaintsInstance */

module.exports = { Complaints };
