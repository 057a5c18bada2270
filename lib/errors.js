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

/**
 * Gives the errors of a class their name. A literal: a minifier renames classes.
 * @param {{ prototype: Error }} errorClass
 * @param {string} name
 */
function nameErrors(errorClass, name) {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, writable: true, configurable: true });
}

nameErrors(CacheError, 'CacheError');
nameErrors(CacheUnavailableError, 'CacheUnavailableError');
nameErrors(RedisError, 'RedisError');

module.exports = { CacheError, CacheUnavailableError, RedisError, nameErrors };
