'use strict';
// Serves what is stored: a hit, or a stale response while the app runs once more.

const policy = require('../rfc/policy');
const { sliceFor } = require('../rfc/range');
const { serve } = require('./write-response');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../storage/stored-response').Usable} Usable */
/** @typedef {import('../storage/response-store').Slot} Slot */
/** @typedef {import('../record/request-context').RequestContextInstance} RequestContextInstance */
/** @typedef {import('../flow/collapse').StartedFlight} Flight */

/**
 * Whether a stored part holds what the request asks for.
 * @param {IncomingMessage} asked
 * @param {Usable} stored
 */
const canSlice = (asked, stored) => Boolean(sliceFor(asked, stored));

class StoredResponder {
  #mount;
  #options;
  #metrics;

  /** @param {import('../mount').MountInstance} mount */
  constructor(mount) {
    this.#mount = mount;
    this.#options = mount.options;
    this.#metrics = mount.metrics;
  }

  /**
   * The way of nearly every hit, with as little on it as can be.
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {Usable} found
   * @param {import('../storage/response-store').Target} target
   */
  atOnce(req, res, found, { identity }) {
    const { name, rules, serverTiming } = this.#options;
    if (found.metadata.part !== undefined) return false;
    if (policy.useOf(found, req, rules, identity !== undefined) !== 'fresh') return false;
    const how = this.#hit(found, 'memory');
    const options = { name, how, lenientDates: rules.lenientDates, timing: serverTiming };
    if (!serve(req, res, found, options)) return false;
    this.#metrics.hit(req, res, found);
    return true;
  }

  /**
   * Answers from what is stored, if that may be. Else the exchange knows what it may be answered from in need.
   * @param {RequestContextInstance} exchange
   * @param {Slot} slot
   * @param {Usable} found
   * @param {'memory' | 'redis'} tier
   * @param {Flight} [own] of the exchange
   * @returns {boolean}
   */
  from(exchange, slot, found, tier, own) {
    const { target, asked } = exchange;
    const use = policy.useOf(found, asked, this.#options.rules, target.identity !== undefined);
    if (found.metadata.part !== undefined && !canSlice(asked, found)) {
      exchange.part = use === 'fresh' ? found : undefined;
      exchange.fwd = 'partial';
      return false;
    }
    if (use === 'fresh') return this.send(exchange, found, this.#hit(found, tier), 'hit');
    exchange.fwd = use === 'unusable' ? 'request' : 'stale';
    if (use === 'unusable') return false;
    exchange.stale = found;
    if (use === 'revalidate' || exchange.rerun === undefined) return false;
    if (!this.send(exchange, found, this.#hit(found, tier), 'stale-while-revalidate')) return false;
    this.#mount.revalidation.revalidate(exchange, slot, found, own);
    return true;
  }

  /**
   * @param {RequestContextInstance} exchange
   * @param {Usable} found
   */
  isFresh({ asked, target }, found) {
    return policy.useOf(found, asked, this.#options.rules, target.identity !== undefined) === 'fresh';
  }

  /**
   * @param {Usable} found
   * @param {string} tier
   */
  #hit({ metadata, age }, tier) {
    // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.4: negative when it is stale.
    return `hit; ttl=${Math.floor((metadata.life - metadata.age - age) / 1000)}; detail=${tier}`;
  }

  /**
   * @param {RequestContextInstance} exchange
   * @param {Usable} stored
   * @param {string} how
   * @param {string} outcome
   */
  send({ req, res, asked, started, background }, stored, how, outcome) {
    const { name, rules, serverTiming } = this.#options;
    const sent = serve(asked, res, stored, { name, how, lenientDates: rules.lenientDates, timing: serverTiming });
    if (sent && !background && outcome !== '') {
      this.#metrics.count(req, outcome, { status: res.statusCode, started, age: stored.metadata.age + stored.age });
    }
    return sent;
  }
}

/** @typedef {StoredResponder} StoredResponderInstance */

module.exports = { StoredResponder };
