'use strict';
// The errors of sessions that are no error of Redis.
const { CacheError } = require('../errors');

class SessionError extends CacheError {
  /**
   * @param {'SESSION_CONFLICT' | 'SESSION_UNREADABLE' | 'SESSION_UNAVAILABLE' | 'SESSION_CLOSED' | 'SESSION_UNSERIALIZABLE'} code
   * @param {string} message without the data of a session
   * @param {{ id?: string, cause?: unknown }} [details]
   */
  constructor(code, message, { id, cause } = {}) {
    super(code, message, cause === undefined ? undefined : { cause });
    if (id !== undefined) this.id = id;
  }
}

module.exports = { SessionError };
