'use strict';
// Sessions: SessionStore for express-session; createSessions and authMiddleware for tokens. Each is loaded when it is asked
// for: only SessionStore needs express-session.

// Named here, too, for ES modules: they find the names by reading this file.
exports.SessionStore = undefined;
exports.createSessions = undefined;
exports.authMiddleware = undefined;

for (const [name, load] of Object.entries({
  SessionStore: () => require('./express/session-store').SessionStore,
  createSessions: () => require('./tokens/sessions').createSessions,
  authMiddleware: () => require('./auth/auth-middleware').authMiddleware,
})) {
  Object.defineProperty(exports, name, { enumerable: true, get: load });
}
