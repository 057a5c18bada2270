'use strict';
// The events of a cache. Listeners are rare, and counting them is not free: who is heard is kept up to date by
// EventEmitter's own events.
const { callListener } = require('../util/call-listener');

class Announcer {
  #emitter;
  #heard = new Set();
  /** Whether somebody listens to 'cache:hit': asked with every hit. */
  hearsHits = false;

  /** @param {import('node:events').EventEmitter} emitter */
  constructor(emitter) {
    this.#emitter = emitter;
    this.watch();
  }

  /** Also after the emitter has lost all its listeners, ours among them. */
  watch() {
    this.#heard = new Set(this.#emitter.eventNames());
    this.hearsHits = this.#heard.has('cache:hit');
    this.#emitter.on('newListener', (name) => {
      this.#heard.add(name);
      this.hearsHits ||= name === 'cache:hit';
    });
    this.#emitter.on('removeListener', (name) => {
      if (this.#emitter.listenerCount(name) > 0) return;
      this.#heard.delete(name);
      this.hearsHits &&= name !== 'cache:hit';
    });
  }

  /** @param {string} name */
  hears(name) {
    return this.#heard.has(name);
  }

  /**
   * A listener that throws must not fail the operation that it is told about.
   * @param {string} name
   * @param {unknown[]} details
   */
  tell(name, ...details) {
    if (this.#heard.has(name)) callListener(() => this.#emitter.emit(name, ...details));
  }
}

module.exports = { Announcer };
