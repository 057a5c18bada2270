'use strict';
// The events of a cache. Counting listeners costs time with every hit: whether somebody listens to hits is noted when
// listeners come and go.
const { callListener } = require('../util/call-listener');

class Announcer {
  #emitter;
  /** @type {Set<string | symbol> | undefined} names of events that somebody listens to */
  #heard = undefined;
  /** Whether somebody listens to 'cache:hit': asked with every hit. */
  hearsHits = false;

  /** @param {import('node:events').EventEmitter} emitter that calls listenersChanged() */
  constructor(emitter) {
    this.#emitter = emitter;
  }

  listenersChanged() {
    const names = this.#emitter.eventNames();
    this.#heard = names.length === 0 ? undefined : new Set(names);
    this.hearsHits = this.hears('cache:hit');
  }

  /** @param {string} name */
  hears(name) {
    return this.#heard !== undefined && this.#heard.has(name);
  }

  /**
   * A listener that throws must not fail the operation that it is told about.
   * @param {string} name
   * @param {unknown[]} details
   */
  tell(name, ...details) {
    if (this.hears(name)) callListener(() => this.#emitter.emit(name, ...details));
  }
}

/** @typedef {Announcer} AnnouncerInstance */

module.exports = { Announcer };
