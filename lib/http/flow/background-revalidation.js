'use strict';
// Runs the app once more, for a request of our own: a response that was served stale is revalidated, or a client whose request
// the handler saw in another form is given what it asked for.

const { clearTimeout, setTimeout } = require('../../timers');
const { detachedCopy, relay } = require('./detached-request');
const { offerCacheTags, tagsBefore } = require('../record/cache-tags');
const { RequestContext, markOurs } = require('../record/request-context');
const { runHandler } = require('../record/run-handler');
const { addStatus } = require('../rfc/cache-status');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../storage/stored-response').Usable} Usable */
/** @typedef {import('../storage/response-store').Slot} Slot */
/** @typedef {import('../record/request-context').RequestContextInstance} RequestContextInstance */
/** @typedef {import('./collapse').StartedFlight} Flight */
/** @typedef {Awaited<ReturnType<import('../storage/response-store').ResponseStoreInstance['renew']>>} Renewed */

/**
 * Runs the whole app for a request of our own, whose way leads past this mount again.
 * @typedef {(req: IncomingMessage, res: ServerResponse) => void} Rerun
 */

// For how long a process takes it that another one refreshes a response.
const BUSY_MS = 100;

class BackgroundRevalidation {
  /** @type {Map<string, Flight>} key → the run that refreshes it */
  #running = new Map();
  #mount;
  #options;
  #store;
  #flights;

  /** @param {import('../mount').MountInstance} mount */
  constructor(mount) {
    this.#mount = mount;
    this.#options = mount.options;
    this.#store = mount.store;
    this.#flights = mount.flights;
  }

  /**
   * Runs the app once more for a stale response that was just served. One run at a time, in all processes.
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   * @param {Usable} found
   * @param {Flight} [own] of the exchange
   */
  revalidate(exchange, slot, found, own) {
    const { rerun, target, depth } = exchange;
    const other = this.#flights.find(slot.key);
    if (rerun === undefined || (other !== undefined && other !== own)) return;
    const running = this.#running.get(slot.key);
    if (running !== undefined && !running.overtaken && running.lease?.current !== false) return;
    const { leaseFor } = this.#options;
    const flight = this.#flights.start(target.base, slot.key, performance.now());
    this.#running.set(slot.key, flight);
    const end = () => {
      if (this.#running.get(slot.key) === flight) this.#running.delete(slot.key);
      this.#flights.remove(flight);
    };
    const refresh = async (/** @type {Renewed} */ { lease, reason }) => {
      // Another process is at it: not every stale hit is to ask again.
      if (reason === 'busy') return void setTimeout(end, BUSY_MS).unref();
      if (lease === undefined) return end();
      flight.lease = lease;
      // Somebody else may have been quicker: what was found was replaced, or purged, before the lease was ours.
      const now = this.#store.peek(target).found ?? (await this.#store.read(target)).found;
      if (now === undefined || this.#mount.responder.isFresh(exchange, now)) {
        void lease.giveUp();
        return end();
      }
      const { req, res } = detachedCopy(exchange.req);
      const copy = new RequestContext(req, res, () => {}, target, depth);
      copy.background = true;
      copy.stale = found;
      copy.fwd = 'stale';
      // Another layer may answer in our place, or nobody at all.
      const late = setTimeout(() => {
        req.destroy();
        // That alone does not reach the connection of a request that was read to its end.
        res.destroy();
      }, leaseFor);
      late.unref();
      res.once('close', () => {
        clearTimeout(late);
        void lease.giveUp();
        end();
      });
      const proceed = (/** @type {() => void} */ forward) => {
        copy.forward = forward;
        runHandler(this.#mount, copy, { slot, lease, flight: undefined });
      };
      markOurs(req, this.#mount, proceed);
      try {
        rerun(req, res);
      } catch (error) {
        res.destroy();
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    this.#store
      .renew(slot, { leaseFor, tags: tagsBefore(exchange.req, this.#options) })
      .then(refresh)
      .catch(end);
  }

  /**
   * Runs the app for a client whose request the handler was shown in another form.
   * @param {RequestContextInstance} exchange
   */
  forClient({ req: shown, res, asked, rerun }) {
    const { req, res: copy } = detachedCopy(shown);
    req.headers = asked.headers;
    req.rawHeaders = asked.rawHeaders;
    markOurs(req, this.#mount, (forward) => forward());
    offerCacheTags(req, copy);
    addStatus(res, `${this.#options.name}; fwd=partial`);
    relay(copy, res);
    if (rerun !== undefined) return rerun(req, copy);
    // Without Express there is nobody to ask again.
    res.writeHead(502);
    res.end();
  }
}

module.exports = { BackgroundRevalidation };
