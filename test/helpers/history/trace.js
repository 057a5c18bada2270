'use strict';
// What went on inside a cache during a history, for the report of a wrong read: loads, leases and pushes about watched
// keys, beside the reads and writes of the actor. Only with TIERCEL_HISTORY_TRACE, because it costs time: then the
// methods that the parts of the cache call of each other are wrapped, and a ring keeps what they did last.

const { InFlightLoad } = require('../../../lib/cache/single-flight');
const { LoadCoordinator } = require('../../../lib/cache/load-coordinator');
const { LeaseWaiters } = require('../../../lib/store/lease-waiters');
const { storeOf } = require('../../../lib/store/store');
const { TieredStore } = require('../../../lib/store/tiered-store');

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

function loadText(load) {
  if (load === undefined) return 'no load';
  const { ticket, leaseId, leaseChecks } = load;
  const marks = ['withoutLease', 'overtaken', 'changed', 'settled'].filter((name) => load[name]);
  return `load ${ticket}, lease ${leaseId}, lease checks ${leaseChecks} ${marks.join(' ')}`;
}

/**
 * Wraps what the parts of the cache call of each other, in this thread.
 * @param {Trace} trace
 * @returns {(cache: any, space: string) => void} tells whose keys are whose: of a namespace they begin with its space
 */
function traceInternals(trace) {
  const spaces = new WeakMap();
  /** Class.method: `before` gives key and text of a call, `after` the text of what came of it. */
  const wrap = (Class, name, before, after) => {
    const original = Class.prototype[name];
    Class.prototype[name] = function traced(...args) {
      const [key, text] = before(this, ...args);
      const about = key === '' ? '' : `${spaces.get(this.store ?? this) ?? ''}${key}`;
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

  wrap(LoadCoordinator, 'get', (coordinator, key) => {
    const load = coordinator.loadOf(key);
    const current = load !== undefined && load.leaseId !== 0 && coordinator.store.tiers.current(load.leaseId);
    return [key, `${loadText(load)}${current ? ' current' : ''}`];
  });
  wrap(LoadCoordinator, 'overtakeKey', (coordinator, key) => [key, loadText(coordinator.loadOf(key))]);
  for (const name of ['overtakeMatching', 'overtakeTagged', 'onLost']) wrap(LoadCoordinator, name, () => ['', '']);
  wrap(InFlightLoad, 'overtake', (load) => [load.key, loadText(load)]);
  wrap(LeaseWaiters, 'keyChanged', (_waiters, key) => [key, '']);
  wrap(LeaseWaiters, 'wait', (_waiters, { key, ticket }, ms) => [key, `${ticket} ${ms} ms`], String);
  for (const name of ['acquire', 'refresh', 'takeOver']) {
    wrap(TieredStore, name, (_tiers, key, _leaseFor, _tags, ticket) => [key, String(ticket)], foundText);
  }
  wrap(TieredStore, 'read', (_tiers, key) => [key, ''], foundText);
  wrap(TieredStore, 'store', (_tiers, key, { payload }) => [key, String(payload)], String);
  for (const name of ['remove', 'soften']) wrap(TieredStore, name, (_tiers, key) => [key, ''], String);
  for (const name of ['fill', 'giveUp', 'held']) {
    wrap(TieredStore, name, (_tiers, lease) => ['', `lease ${lease}`], String);
  }
  wrap(TieredStore, 'drop', (_tiers, lease) => ['', `lease ${lease}`]);

  return (cache, space) => {
    const store = storeOf(cache);
    for (const owner of [store, store.leases.waiters, store.tiers]) spaces.set(owner, space);
  };
}

module.exports = { Trace, isTracing, traceInternals };
