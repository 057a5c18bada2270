'use strict';
// What the parts of one mount share, and the parts that call each other.

const { Flights } = require('./flow/collapse');
const { HttpMetrics } = require('./flow/metrics');
const { HitForMiss } = require('./storage/hit-for-miss');
const { RequestKeys } = require('./storage/request-key');
const { ResponseStore } = require('./storage/response-store');
const { UnkeyedHeaders } = require('./record/vary-warnings');
const { BackgroundRevalidation } = require('./flow/background-revalidation');
const { StoredResponder } = require('./serve/serve-stored');

class Mount {
  /**
   * @param {import('./options').HttpCacheOptions} options
   * @param {string} space prefix of the keys
   */
  constructor(options, space) {
    this.options = options;
    this.store = new ResponseStore(options.store);
    this.keys = new RequestKeys(space, options);
    this.flights = new Flights(Math.max(options.maxBodyBytes, 65_536));
    this.metrics = new HttpMetrics(options);
    /** URLs whose answers nobody waits for. */
    this.uncacheable = new HitForMiss(options.hitForMiss);
    this.unkeyed = options.warnings ? new UnkeyedHeaders(options.keyHeaders) : undefined;
    this.responder = new StoredResponder(this);
    this.revalidation = new BackgroundRevalidation(this);
  }
}

/** @typedef {Mount} MountInstance */

module.exports = { Mount };
