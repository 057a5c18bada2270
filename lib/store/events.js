'use strict';
// The events of a cache. Counting listeners costs time with every hit: whether somebody listens to hits is noted when
// listeners come and go.
const { EventEmitter } = require('node:events');
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

/** An emitter whose announcer knows at any time who listens. */
class AnnouncingEmitter extends EventEmitter {
  #announcer = new Announcer(this);

  /**
   * For the subclass alone: it is no part of what users see.
   * @param {AnnouncingEmitter} emitter
   */
  static announcerOf(emitter) {
    return emitter.#announcer;
  }

  /**
   * @param {any} name
   * @param {any} listener
   */
  on(name, listener) {
    super.on(name, listener);
    this.#announcer.listenersChanged();
    return this;
  }

  /**
   * @param {any} name
   * @param {any} listener
   */
  addListener(name, listener) {
    return this.on(name, listener);
  }

  /**
   * @param {any} name
   * @param {any} listener
   */
  prependListener(name, listener) {
    super.prependListener(name, listener);
    this.#announcer.listenersChanged();
    return this;
  }

  /**
   * @param {any} name
   * @param {any} listener
   */
  removeListener(name, listener) {
    super.removeListener(name, listener);
    this.#announcer.listenersChanged();
    return this;
  }

  /**
   * @param {any} name
   * @param {any} listener
   */
  off(name, listener) {
    return this.removeListener(name, listener);
  }

  /** @param {any[]} names */
  removeAllListeners(...names) {
    super.removeAllListeners(...names);
    this.#announcer.listenersChanged();
    return this;
  }
}

/** @typedef {Announcer} AnnouncerInstance */

module.exports = { AnnouncingEmitter };
