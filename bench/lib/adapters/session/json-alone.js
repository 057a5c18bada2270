'use strict';
// The floor of every store that keeps JSON: parses and serializes, and asks nobody.

const { Store } = require('express-session');

class JsonAlone extends Store {
  #sessions = new Map();

  get(id, callback) {
    const text = this.#sessions.get(id);
    queueMicrotask(() => callback(null, text === undefined ? null : JSON.parse(text)));
  }

  set(id, session, callback) {
    this.#sessions.set(id, JSON.stringify(session));
    queueMicrotask(callback);
  }
}

module.exports = async function open() {
  return { store: new JsonAlone(), close() {} };
};
