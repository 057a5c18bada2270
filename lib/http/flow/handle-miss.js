'use strict';
// A miss: the response of a request that is under way, of the second tier, or of the handler, run under a lease or without
// one.

const { hasConditions } = require('../rfc/conditional');
const policy = require('../rfc/policy');
const { emptySlot } = require('../storage/response-store');
const { asUsable } = require('../storage/stored-response');
const { selectorOf } = require('../rfc/vary');
const { tagsBefore } = require('../record/cache-tags');
const { runHandler } = require('../record/run-handler');

/** @typedef {import('../storage/response-store').Slot} Slot */
/** @typedef {import('../record/request-context').RequestContextInstance} RequestContextInstance */
/** @typedef {import('./collapse').StartedFlight} Flight */

/** A request whose leaders lose their clients again and again runs its own handler in the end. */
const MAX_WAITS = 4;
/** @type {readonly string[]} */
const NONE = [];

/**
 * Whether the response to the leader's request is the response to this one, too.
 * @param {import('../storage/response-store').Target} target
 * @param {import('./collapse').Shared} shared
 */
function isFor({ req, identity, required }, { names, selector }) {
  return required.every((name) => names.includes(name)) && selectorOf(names, req, identity) === selector;
}

class MissHandler {
  #mount;
  #options;
  #store;
  #flights;
  #metrics;
  #uncacheable;

  /** @param {import('../mount').MountInstance} mount */
  constructor(mount) {
    this.#mount = mount;
    this.#options = mount.options;
    this.#store = mount.store;
    this.#flights = mount.flights;
    this.#metrics = mount.metrics;
    this.#uncacheable = mount.uncacheable;
  }

  /**
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   */
  take(exchange, slot) {
    const { asked, target, req } = exchange;
    const { rules, collapse } = this.#options;
    const whole = asked.headers.range === undefined;
    // Nothing of it could be stored, or nobody could share it.
    if (exchange.fwd === 'request') return this.#alone(exchange, slot);
    if ((!whole && !rules.partial) || policy.isNoStore(asked)) return this.#lookOnce(exchange, slot);
    const personal = asked.headers.authorization !== undefined && target.identity === undefined;
    // Those who wait for the page of everybody are not to wait for pages of one person each.
    if (policy.isPersonal(asked) && this.#uncacheable.has(policy.personalKey(target.base))) {
      return this.#alone(exchange, slot);
    }
    const shares = collapse > 0 && whole && !personal && !this.#uncacheable.has(target.base);
    const flight = shares && exchange.waits < MAX_WAITS ? this.#flights.find(slot.key) : undefined;
    if (flight !== undefined && flight.whole === undefined) return this.#wait(exchange, flight);
    // What was whole before this request came is for it what is stored: perhaps not without being revalidated.
    if (flight !== undefined && this.#sharesWhole(exchange, slot, flight)) return;
    // It may wait for a GET, but what it brings nobody else can use.
    if (req.method === 'HEAD') return this.#lookOnce(exchange, slot);
    const deadline = performance.now() + collapse;
    const own = shares ? this.#flights.start(target.base, slot.key, deadline) : undefined;
    this.#acquire(exchange, slot, own, shares ? deadline : 0).catch((error) => {
      // A cache that was closed meanwhile.
      if (own) this.#flights.remove(own);
      void error;
      this.#alone(exchange, slot);
    });
  }

  /**
   * Answers from what is on its way into the cache: a hit in all but name, and by name.
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   * @param {Flight} flight
   * @returns {boolean}
   */
  #sharesWhole(exchange, slot, { whole }) {
    if (whole === undefined || !isFor(exchange.target, whole.shared)) return false;
    return this.#mount.responder.from(exchange, slot, asUsable(whole.stored, Date.now()), 'memory');
  }

  /**
   * Waits for the handler of another request.
   * @param {RequestContextInstance} exchange
   * @param {Flight} flight
   */
  #wait(exchange, flight) {
    const { res } = exchange;
    exchange.waits++;
    const { outcome, leave } = flight.wait();
    res.once('close', leave);
    void outcome.then((result) => {
      res.removeListener('close', leave);
      // Nobody would see the response.
      if (!res.destroyed) this.#landed(exchange, flight, flight.nowAt(result));
    });
  }

  /**
   * @param {RequestContextInstance} exchange
   * @param {Flight} flight that it waited for
   * @param {import('./collapse').Outcome} outcome
   */
  #landed(exchange, flight, outcome) {
    const { target, asked, res, req, started } = exchange;
    if (outcome.end === 'found' || outcome.end === 'streaming' || outcome.end === 'stored') {
      // What it is selected by may be something that this request does not say, or says otherwise.
      if (!isFor(target, outcome.shared)) {
        exchange.fwd = 'vary-miss';
        return void flight.over().then(() => this.#again(exchange));
      }
      if (outcome.end === 'found' && this.#mount.responder.from(exchange, outcome.slot, outcome.found, 'redis')) return;
      // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.6
      if (outcome.end === 'stored') {
        const usable = asUsable(outcome.stored, Date.now());
        if (this.#mount.responder.send(exchange, usable, `fwd=${exchange.fwd}; collapsed`, 'collapsed')) return;
      } else if (!hasConditions(asked) && flight.begin?.(res)) {
        this.#metrics.count(req, 'collapsed', { status: res.statusCode, started });
        return req.method === 'HEAD' ? void res.end() : flight.follow(res);
      } else if (!res.headersSent) {
        // Its conditions can be judged when there is a whole response.
        return void flight.over().then(() => this.#again(exchange));
      }
    }
    if (outcome.end === 'aborted' && exchange.waits < MAX_WAITS) return this.#again(exchange);
    this.#alone(exchange, emptySlot(target.base));
  }

  /** @param {RequestContextInstance} exchange */
  #again(exchange) {
    if (exchange.res.destroyed) return;
    const { slot, found } = this.#store.peek(exchange.target);
    if (found !== undefined && this.#mount.responder.from(exchange, slot, found, 'memory')) return;
    this.take(exchange, slot);
  }

  /**
   * Asks the second tier for a request whose own response is not to be stored.
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   */
  #lookOnce(exchange, slot) {
    const alone = () => this.#alone(exchange, slot);
    // Memory had it, and it is no response.
    if (exchange.stale !== undefined) return alone();
    this.#store.read(exchange.target).then(({ slot: at, found }) => {
      if (exchange.res.destroyed) return;
      if (found === undefined || !this.#mount.responder.from(exchange, at, found, 'redis')) alone();
    }, alone);
  }

  /**
   * Asks the second tier, and takes the lease.
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   * @param {Flight | undefined} flight
   * @param {number} until
   */
  async #acquire(exchange, slot, flight, until) {
    const { target, req } = exchange;
    const options = { leaseFor: this.#options.leaseFor, tags: tagsBefore(req, this.#options), until };
    let place = slot;
    for (let looks = 0; looks < MAX_WAITS; looks++) {
      const renews =
        (exchange.stale ?? exchange.part) !== undefined || exchange.fwd === 'partial' ? !place.occupied : false;
      const {
        slot: at,
        found,
        lease,
        reason,
      } = /** @type {any} */ (
        renews ? await this.#store.renew(place, options) : await this.#store.acquire(target, place, options)
      );
      place = at;
      if (found === undefined && at.marker !== undefined && exchange.fwd === 'uri-miss') exchange.fwd = 'vary-miss';
      if (exchange.res.destroyed) {
        // Its handler would never hear that nobody is there: one of those who wait leads.
        void lease?.giveUp();
        if (flight) this.#flights.remove(flight);
        return;
      }
      if (lease !== undefined) return runHandler(this.#mount, exchange, { slot: place, lease, flight });
      if (renews && reason === 'gone') {
        exchange.stale = exchange.part = undefined;
        exchange.fwd = 'uri-miss';
        place = emptySlot(target.base);
      } else if (found === undefined) break;
      else if (this.#mount.responder.from(exchange, place, found, 'redis', flight)) {
        const names = place.variant ? (place.marker?.names ?? NONE) : NONE;
        const shared = { names, selector: selectorOf(names, target.req, target.identity) };
        flight?.finish({ end: 'found', found, shared, slot: place });
        if (flight) this.#flights.remove(flight);
        return;
      } else if (exchange.fwd === 'request') break;
    }
    runHandler(this.#mount, exchange, { slot: place, lease: undefined, flight });
  }

  /**
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   */
  #alone(exchange, slot) {
    runHandler(this.#mount, exchange, { slot, lease: undefined, flight: undefined });
  }
}

module.exports = { MissHandler };
