'use strict';
const { Flights } = require('../../lib/http/collapse');
const { Fences } = require('../../lib/http/fences');

const stored = /** @type {any} */ ({ payload: Buffer.from('x') });

/** @param {number} [timeout] */
function setUp(timeout = 1000) {
  const fences = new Fences();
  const flights = new Flights(timeout);
  return { fences, flights, start: () => flights.start('k', fences.raise('k')) };
}

test('those who wait get what the leader stored', async () => {
  const { flights, start } = setUp();
  const flight = start();
  expect(flights.find('k')).toBe(flight);
  const waits = [flight.wait(), flight.wait()];
  flight.finish({ end: 'stored', stored });
  flight.finish({ end: 'refused' });
  expect(await Promise.all(waits)).toEqual([
    { end: 'stored', stored },
    { end: 'stored', stored },
  ]);
  expect(await flight.wait()).toEqual({ end: 'stored', stored });
});

test('a flight is found until it is removed while its answer is being written, and not after it failed', () => {
  const { flights, start } = setUp();
  const good = start();
  good.finish({ end: 'stored', stored });
  expect(flights.find('k')).toBe(good);
  flights.remove('k', good);
  expect(flights.find('k')).toBeUndefined();
  const bad = start();
  bad.finish({ end: 'refused' });
  expect(flights.find('k')).toBeUndefined();
  expect(flights.size).toBe(1);
});

test('removing an old flight leaves the new one alone', () => {
  const { flights, start } = setUp();
  const old = start();
  const next = start();
  flights.remove('k', old);
  expect(flights.find('k')).toBe(next);
});

test('nobody waits longer than the timeout, nor joins a flight that old', async () => {
  const { flights, start } = setUp(20);
  const flight = start();
  expect(await flight.wait()).toEqual({ end: 'late' });
  expect(flights.find('k')).toBeUndefined();
});

test('nobody joins a flight from before an invalidation', () => {
  const { fences, flights, start } = setUp();
  start();
  fences.invalidate('other');
  expect(flights.find('k')).toBeDefined();
  fences.invalidate('k');
  expect(flights.find('k')).toBeUndefined();
});

test('fences are forgotten when they are lowered', () => {
  const fences = new Fences();
  const first = fences.raise('k');
  const second = fences.raise('k');
  fences.lower('k', first);
  fences.invalidate('k');
  expect([first.holds, second.holds]).toEqual([true, false]);
  fences.lower('k', second);
  fences.lower('k', second);
  expect(fences.size).toBe(0);
  expect(fences.raise('k').holds).toBe(true);
});
