'use strict';
// What went on inside a cache during a history, for the report of a wrong read: flights, leases and pushes about watched
// keys, beside the reads and writes of the actor. Only with TIERCEL_HISTORY_TRACE, because it costs time: then the
// methods that the parts of the cache call of each other are wrapped, and a ring keeps what they did last.

const { Flights } = require('../../../lib/cache/single-flight');
const { Loads } = require('../../../lib/cache/load-coordinator');
const { Tiers } = require('../../../lib/store/tiered-store');

const RING = 200_000;

const isTracing = () => Boolean(process.env.TIERCEL_HISTORY_TRACE);
const now = () => Number(process.hrtime.bigint()) / 1e6;

class Trace {
  #ring = [];
  #at = 0;

  /**
   * @param {string} key '' for what concerns all
   * @param {string} what
   */
  add(key, what) {
    this.#ring[this.#at++ % RING] = [now(), key, what];
  }

  /** Of one key, and of all, between these times. */
  between(key, from, to) {
    return this.#ring.filter(([at, about]) => at >= from && at <= to && (about === key || about === ''));
  }
}

function foundText(found) {
  if (found === null || found === undefined) return String(found);
  if (typeof found !== 'object' || found.kind === undefined) return `payload ${String(found)}`;
  if (found.kind === 0) return `hit ${String(found.payload)}, freshness ${found.freshness}`;
  return `kind ${found.kind}, ${found.left} ms left, lease ${found.lease}`;
}

function flightText(flight) {
  if (flight === undefined) return 'no flight';
  const { ticket, lease, doubts } = flight;
  const marks = ['alone', 'fenced', 'changed', 'over'].filter((name) => flight[name]);
  return `flight ${ticket}, lease ${lease}, doubts ${doubts} ${marks.join(' ')}`;
}

/**
 * Wraps what the parts of the cache call of each other, in this thread.
 * @param {Trace} trace
 * @returns {(cache: any, space: string) => void} tells whose keys are whose: of a namespace they begin with its space
 */
function traceInternals(trace) {
  const spaces = new WeakMap();
  const tiersOf = new WeakMap();
  /** Class.method: `before` gives key and text of a call, `after` the text of what came of it. */
  const wrap = (Class, name, before, after) => {
    const original = Class.prototype[name];
    Class.prototype[name] = function traced(...args) {
      const [key, text] = before(this, ...args);
      const about = key === '' ? '' : `${spaces.get(this) ?? ''}${key}`;
      trace.add(about, `${name} ${text}`);
      const result = original.apply(this, args);
      if (after === undefined) return result;
      const tell = (value) => trace.add(about, `  ${name} ${text} => ${after(value)}`);
      // Beside whoever waits for it: his continuation does not come later for this.
      if (typeof result?.then === 'function') result.then(tell, ({ message }) => tell(`error: ${message}`));
      else tell(result);
      return result;
    };
  };

  wrap(Loads, 'get', (loads, key) => {
    const flight = loads.flights.of(key);
    const current = flight !== undefined && flight.lease !== 0 && tiersOf.get(loads).current(flight.lease);
    return [key, `${flightText(flight)}${current ? ' current' : ''}`];
  });
  wrap(Loads, 'onWatched', (loads, key) => [key, flightText(loads.flights.of(key))]);
  wrap(Loads, 'fence', (loads, key) => [key, flightText(loads.flights.of(key))]);
  wrap(Loads, 'fenceIf', () => ['', '']);
  wrap(Loads, 'onLost', () => ['', '']);
  for (const name of ['add', 'remove', 'fenceOne']) {
    wrap(Flights, name, (_flights, flight) => [flight.key, flightText(flight)]);
  }
  wrap(Flights, 'wait', (_flights, flight, ms) => [flight.key, `${flight.ticket} ${ms} ms`], String);
  for (const name of ['acquire', 'refresh', 'takeOver']) {
    wrap(Tiers, name, (_tiers, key, _leaseFor, _tags, ticket) => [key, String(ticket)], foundText);
  }
  wrap(
    Tiers,
    'read',
    (_tiers, key) => [key, ''],
    ({ found }) => foundText(found),
  );
  wrap(Tiers, 'store', (_tiers, key, { payload }) => [key, String(payload)], String);
  for (const name of ['remove', 'soften']) wrap(Tiers, name, (_tiers, key) => [key, ''], String);
  for (const name of ['fill', 'giveUp', 'held']) wrap(Tiers, name, (_tiers, lease) => ['', `lease ${lease}`], String);
  wrap(Tiers, 'drop', (_tiers, lease) => ['', `lease ${lease}`]);

  return (cache, space) => {
    const { loads, tiers } = cache.internals;
    tiersOf.set(loads, tiers);
    for (const owner of [loads, loads.flights, tiers]) spaces.set(owner, space);
  };
}

module.exports = { Trace, isTracing, traceInternals };
