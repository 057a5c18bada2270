'use strict';
// Sessions: SessionStore for express-session; createSessions and authMiddleware for tokens. Each is loaded when it is asked
// for: only SessionStore needs express-session.

// Named here, too, for ES modules: they find the names by reading this file.
exports.SessionStore = undefined;
exports.createSessions = undefined;
exports.authMiddleware = undefined;
exports.SessionError = require('./errors').SessionError;

/**
 * Without express-session a class that cannot be constructed: ES modules read every name when they are linked, and what a
 * getter throws then is lost.
 */
function loadSessionStore() {
  try {
    return require('./express/session-store').SessionStore;
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'MISSING_PACKAGE') throw error;
    return class SessionStore {
      constructor() {
        throw error;
      }
    };
  }
}

for (const [name, load] of Object.entries({
  SessionStore: loadSessionStore,
  createSessions: () => require('./tokens/sessions').createSessions,
  authMiddleware: () => require('./auth/auth-middleware').authMiddleware,
})) {
  Object.defineProperty(exports, name, { enumerable: true, get: load });
}
