'use strict';
// The floor of a request: a store that does nothing, and has the same objects at hand for ever.

const { Store } = require('express-session');

class Nothing extends Store {
  #sessions = new Map();

  get(id, callback) {
    const found = this.#sessions.get(id);
    queueMicrotask(() => callback(null, found && { ...found, cookie: { ...found.cookie.toJSON() } }));
  }

  set(id, session, callback) {
    if (!this.#sessions.has(id)) this.#sessions.set(id, session);
    queueMicrotask(callback);
  }

  touch(id, session, callback) {
    queueMicrotask(callback);
  }
}

module.exports = async function open() {
  return { store: new Nothing(), close() {} };
};
