'use strict';
// The errors that Tiercel makes. Arguments that are not valid give a TypeError; everything else is one of these.

class CacheError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }

  get name() {
    return this.constructor.name;
  }
}

class CacheUnavailableError extends CacheError {
  /** @type {'CACHE_UNAVAILABLE'} */
  code = 'CACHE_UNAVAILABLE';

  /**
   * @param {string} message
   * @param {{ cause?: unknown }} [options]
   */
  constructor(message, options) {
    super('CACHE_UNAVAILABLE', message, options);
  }
}

class RedisError extends CacheError {
  /**
   * @param {string} code
   * @param {string} message
   * @param {string} [command] its name, without arguments
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, command, options) {
    super(code, message, options);
    this.command = command;
  }

  /**
   * An error reply: its first word is the code.
   * @param {string} text
   * @param {string} [command]
   */
  static fromReply(text, command) {
    const end = text.indexOf(' ');
    return new RedisError(end < 0 ? text : text.slice(0, end), text, command);
  }
}

module.exports = { CacheError, CacheUnavailableError, RedisError };
