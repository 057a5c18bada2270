'use strict';
// express-session is the application's: an optional peer, needed by SessionStore alone.
const { createRequire } = require('node:module');
const path = require('node:path');
const { CacheError } = require('../../errors');

/**
 * @returns {any}
 */
function loadExpressSession() {
  try {
    return require('express-session');
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
  }
  try {
    // This package may be linked from elsewhere.
    return createRequire(path.join(process.cwd(), 'package.json'))('express-session');
  } catch (error) {
    const message = 'SessionStore needs the package express-session: npm install express-session';
    throw new CacheError('MISSING_PACKAGE', message, { cause: error });
  }
}

module.exports = { loadExpressSession };
