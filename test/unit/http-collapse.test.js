'use strict';
// Flights: who waits for whose handler, and what becomes of them.
const { EventEmitter } = require('node:events');
const { Flights, PATIENCE_MS } = require('../../lib/http/flow/collapse');

const stored = /** @type {any} */ ({ payload: Buffer.from('x') });
const shared = { names: [], selector: '' };
const isStored = /** @type {any} */ ({ end: 'stored', shared, stored });

/** @param {number} [timeout] */
function setUp(timeout = 1000) {
  const flights = new Flights(10);
  return { flights, start: (base = 'k') => flights.start(base, base, performance.now() + timeout) };
}

/** A response that a flight can write to, and that can be made slow. */
class Follower extends EventEmitter {
  text = '';
  writableLength = 0;
  ended = false;
  destroyed = false;

  write(/** @type {Buffer} */ chunk) {
    this.text += chunk;
  }

  end() {
    this.ended = true;
  }

  destroy() {
    this.destroyed = true;
  }
}
const follower = () => /** @type {any} */ (new Follower());

test('those who wait get what the leader stored', async () => {
  const { flights, start } = setUp();
  const flight = start();
  expect(flights.find('k')).toBe(flight);
  const waits = [flight.wait().outcome, flight.wait().outcome];
  flight.finish(isStored);
  flight.finish({ end: 'refused' });
  expect(await Promise.all(waits)).toEqual([isStored, isStored]);
  expect(await flight.wait().outcome).toEqual(isStored);
});

test('a flight is found until it is removed while its answer is being written, and not after it failed', () => {
  const { flights, start } = setUp();
  const good = start();
  good.finish(isStored);
  expect(flights.find('k')).toBe(good);
  flights.remove(good);
  expect(flights.find('k')).toBeUndefined();
  const bad = start();
  bad.finish({ end: 'refused' });
  expect(flights.find('k')).toBeUndefined();
  expect(flights.size).toBe(1);
});

test('removing an old flight leaves the new one alone, and ends the old one', async () => {
  const { flights, start } = setUp();
  const old = start();
  const over = old.over();
  const next = start();
  flights.remove(old);
  await over;
  expect(flights.find('k')).toBe(next);
});

test('nobody waits longer than the timeout, nor joins a flight that old', async () => {
  const { flights, start } = setUp(20);
  const flight = start();
  expect(await flight.wait().outcome).toEqual({ end: 'late' });
  // Timers have whole milliseconds, and may be one early.
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(flights.find('k')).toBeUndefined();
});

test('nobody joins a flight from before an invalidation, neither ours nor one that its lease has heard of', () => {
  const { flights, start } = setUp();
  const flight = start();
  flights.overtake((base) => base === 'other');
  expect(flights.find('k')).toBe(flight);
  flights.overtake((base) => base === 'k');
  expect(flights.find('k')).toBeUndefined();
  const next = start();
  next.lease = /** @type {any} */ ({ current: true });
  expect(flights.find('k')).toBe(next);
  next.lease = /** @type {any} */ ({ current: false });
  expect(flights.find('k')).toBeUndefined();
});

test('a flight that is overtaken after its response is whole is not joined either', () => {
  const { flights, start } = setUp();
  start().finish(isStored);
  flights.overtake(() => true);
  expect(flights.find('k')).toBeUndefined();
});

test('followers get the chunks from the first one on, and an end', async () => {
  const { start } = setUp();
  const flight = start();
  const waiting = flight.wait().outcome;
  const begin = () => true;
  flight.stream(shared, begin);
  expect(await waiting).toEqual({ end: 'streaming', shared });
  flight.push(Buffer.from('one '), true);
  const [early, late] = [follower(), follower()];
  flight.follow(early);
  flight.push(Buffer.from('two '), true);
  flight.follow(late);
  flight.push(Buffer.from('three'), true);
  expect([early.text, late.text]).toEqual(['one two three', 'one two three']);
  expect(flight.isAwaited).toBe(true);
  flight.endStream(true);
  expect([early.ended, late.ended, flight.isAwaited]).toEqual([true, true, false]);
});

test('a body that is cut off looks cut off to followers', () => {
  const flight = setUp().start();
  flight.stream(shared, () => true);
  const res = follower();
  flight.follow(res);
  flight.endStream(false);
  expect([res.ended, res.destroyed]).toEqual([false, true]);
});

test('a follower that is too far behind is waited for, but only when nothing is kept for it', () => {
  const flight = setUp().start();
  flight.stream(shared, () => true);
  const [slow, quick] = [follower(), follower()];
  flight.follow(slow);
  flight.follow(quick);
  slow.writableLength = 11;
  expect(flight.push(Buffer.from('kept'), true)).toBe(true);
  expect(flight.push(Buffer.from(' not'), false)).toBe(false);
  expect([slow.text, quick.text]).toEqual(['kept not', 'kept not']);
});

/** A flight whose body is too large to be kept, with a follower that is too far behind; and what its handler is told. */
function pacing() {
  const flight = setUp().start();
  const handler = { resumed: 0 };
  const resume = () => handler.resumed++;
  flight.capture = /** @type {any} */ ({ resume, release() {}, unblock() {} });
  flight.stream(shared, () => true);
  const [slow, quick] = [follower(), follower()];
  flight.follow(slow);
  flight.follow(quick);
  slow.writableLength = 11;
  expect(flight.push(Buffer.from('much'), false)).toBe(false);
  return { flight, handler, slow, quick };
}

describe('pacing, by a clock of its own', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('the handler goes on as soon as the slow one has caught up, who is then safe', () => {
    const { flight, handler, slow } = pacing();
    jest.advanceTimersByTime(PATIENCE_MS - 1);
    expect(handler.resumed).toBe(0);
    slow.writableLength = 0;
    slow.emit('drain');
    expect(handler.resumed).toBe(1);
    jest.advanceTimersByTime(2 * PATIENCE_MS);
    expect(slow.destroyed).toBe(false);
    expect(flight.push(Buffer.from(' more'), false)).toBe(true);
    expect(slow.text).toBe('much more');
  });

  test('it waits for the last of several', () => {
    const { flight, handler, slow, quick } = pacing();
    quick.writableLength = 11;
    expect(flight.push(Buffer.from(' more'), false)).toBe(false);
    slow.writableLength = 0;
    slow.emit('drain');
    expect(handler.resumed).toBe(0);
    quick.writableLength = 0;
    quick.emit('drain');
    expect(handler.resumed).toBe(1);
  });

  test('one that never reads is cut off, and the others get the rest', () => {
    const { flight, handler, slow, quick } = pacing();
    jest.advanceTimersByTime(PATIENCE_MS - 1);
    expect([slow.destroyed, handler.resumed]).toEqual([false, 0]);
    jest.advanceTimersByTime(1);
    expect([slow.destroyed, slow.ended, handler.resumed]).toEqual([true, false, 1]);
    expect(flight.push(Buffer.from(' more'), false)).toBe(true);
    flight.endStream(true);
    expect([slow.text, quick.text]).toEqual(['much', 'much more']);
    expect([slow.ended, quick.ended, quick.destroyed]).toEqual([false, true, false]);
  });

  test('its patience is not renewed by more that it does not read', () => {
    const { flight, slow } = pacing();
    jest.advanceTimersByTime(PATIENCE_MS - 1);
    expect(flight.push(Buffer.from(' more'), false)).toBe(false);
    jest.advanceTimersByTime(1);
    expect(slow.destroyed).toBe(true);
  });

  test('one that leaves is not waited for, and the end of the body ends the waiting', () => {
    const left = pacing();
    left.slow.emit('close');
    expect(left.handler.resumed).toBe(1);
    const ended = pacing();
    ended.flight.endStream(true);
    jest.advanceTimersByTime(2 * PATIENCE_MS);
    expect([left.slow.destroyed, ended.slow.destroyed, ended.slow.ended]).toEqual([false, false, true]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

test('who leaves is not waited for any more', () => {
  const flight = setUp().start();
  const first = flight.wait();
  const second = flight.wait();
  first.leave();
  expect(flight.isAwaited).toBe(true);
  second.leave();
  expect(flight.isAwaited).toBe(false);
  flight.stream(shared, () => true);
  const res = follower();
  flight.follow(res);
  res.emit('close');
  expect(flight.isAwaited).toBe(false);
});

test('a flight that ends without an outcome was aborted', async () => {
  const { flights, start } = setUp();
  const flight = start();
  const { outcome } = flight.wait();
  flights.remove(flight);
  expect(await outcome).toEqual({ end: 'aborted' });
});
