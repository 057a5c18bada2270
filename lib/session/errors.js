'use strict';
// The errors of sessions that are no error of Redis.
const { CacheError, nameErrors } = require('../errors');

/** @typedef {'SESSION_CONFLICT' | 'SESSION_UNREADABLE' | 'SESSION_UNAVAILABLE' | 'SESSION_CLOSED'} SessionErrorCode */

class SessionError extends CacheError {
  /**
   * @param {SessionErrorCode} code
   * @param {string} message without the data of a session
   * @param {{ id?: string, cause?: unknown }} [details]
   */
  constructor(code, message, { id, cause } = {}) {
    super(code, message, cause === undefined ? undefined : { cause });
    /** @type {SessionErrorCode} */
    this.code = code;
    if (id !== undefined) this.id = id;
  }
}

nameErrors(SessionError, 'SessionError');

module.exports = { SessionError };
