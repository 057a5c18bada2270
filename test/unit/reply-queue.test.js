'use strict';
// The ring of promises that replies settle: the oldest ones, by tickets that both sides count.

const { RedisError } = require('../../lib/errors');
const { createReplyQueue } = require('../../lib/redis/reply-queue');
const { rejection } = require('../helpers/until');

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

describe('createReplyQueue', () => {
  let queue;
  let callbacks;
  let ticket; // of the oldest, as the native side counts
  let mismatches;
  const next = (name) => {
    callbacks.submitted[0]++;
    return queue.next(name);
  };
  const deliver = (...values) => {
    callbacks.deliver(ticket, ...values);
    ticket += values.length;
  };
  const fail = (code, message) => callbacks.fail(ticket++, code, message);
  const expire = (...behind) => behind.forEach((place) => callbacks.expire(ticket + place));
  beforeEach(() => {
    queue = createReplyQueue();
    callbacks = queue.callbacks;
    ticket = 0;
    mismatches = 0;
    queue.onMismatch = () => mismatches++;
  });
  afterEach(() => expect(mismatches).toBe(0));

  test('settles in order, however the replies are cut into batches', async () => {
    const promises = range(0, 10).map(() => next('GET'));
    deliver(0);
    deliver(1, 2, 3);
    deliver();
    deliver(4, 5, 6, 7, 8, 9);
    expect(await Promise.all(promises)).toEqual(range(0, 10));
    expect(queue.length).toBe(0);
  });

  test('keeps the order when it grows while it is wrapped around', async () => {
    const promises = range(0, 50).map(() => next('GET'));
    deliver(...range(0, 40));
    // Its head is at 40 of 64: what comes now wraps, and then grows, several times.
    promises.push(...range(50, 1000).map(() => next('GET')));
    expect(queue.length).toBe(960);
    deliver(...range(40, 1000));
    expect(await Promise.all(promises)).toEqual(range(0, 1000));
  });

  test('keeps the order over random growth and shrinkage', async () => {
    const promises = [];
    let delivered = 0;
    let random = 1;
    for (let round = 0; round < 400; round++) {
      random = (random * 48_271) % 2_147_483_647;
      for (let i = random % 97; i > 0; i--) promises.push(next('GET'));
      const count = Math.min(random % 89, promises.length - delivered);
      deliver(...range(delivered, delivered + count));
      delivered += count;
    }
    deliver(...range(delivered, promises.length));
    expect(await Promise.all(promises)).toEqual(range(0, promises.length));
  });

  test('undefined and null are values', async () => {
    const promises = [next('GET'), next('GET'), next('GET')];
    deliver(undefined, null, false);
    expect(await Promise.all(promises)).toEqual([undefined, null, false]);
  });

  test('fails the oldest with an error reply, whose first word is the code', async () => {
    const failing = next('INCR');
    const behind = next('GET');
    fail('', 'WRONGTYPE Operation against a key');
    deliver('next');
    const error = await rejection(failing);
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({ code: 'WRONGTYPE', message: 'WRONGTYPE Operation against a key', command: 'INCR' });
    expect(await behind).toBe('next');
  });

  test('fails the oldest with an error of our own', async () => {
    const failing = next('SET');
    fail('CONNECTION_LOST', 'gone');
    expect(await rejection(failing)).toMatchObject({
      name: 'RedisError',
      code: 'CONNECTION_LOST',
      message: 'SET: gone',
      command: 'SET',
    });
  });

  test('one that expired keeps its place until its reply comes', async () => {
    const slow = [next('GET'), next('MGET')];
    const behind = next('PING');
    expire(0, 1);
    expect(await rejection(slow[0])).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'GET' });
    expect(await rejection(slow[1])).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'MGET' });
    expect(queue.length).toBe(3);
    deliver('late', 'later', 'mine');
    expect(await behind).toBe('mine');
  });

  test('expires in steps, with late replies in between', async () => {
    const promises = range(0, 6).map((i) => next(`C${i}`));
    const outcomes = Promise.allSettled(promises);
    expire(0);
    expire(1, 2);
    deliver('late 0', 'late 1');
    expire(1); // 3
    deliver('late 2', 'late 3', 'four');
    expire(0); // 5
    fail('CONNECTION_LOST', 'gone');
    const behind = next('C6');
    deliver('six');
    expect((await outcomes).map((outcome) => outcome.value ?? outcome.reason.message)).toEqual([
      'C0: no answer within the command timeout',
      'C1: no answer within the command timeout',
      'C2: no answer within the command timeout',
      'C3: no answer within the command timeout',
      'four',
      'C5: no answer within the command timeout',
    ]);
    expect(await behind).toBe('six');
  });

  test('an expired one may fail late, too', async () => {
    const slow = next('GET');
    const behind = next('GET');
    expire(0);
    fail('', 'ERR late');
    deliver('mine');
    expect((await rejection(slow)).code).toBe('COMMAND_TIMEOUT');
    expect(await behind).toBe('mine');
  });

  test('a timeout after growth finds the right one', async () => {
    range(0, 60).forEach(() => next('OLD'));
    deliver(...range(0, 60));
    const first = next('FIRST');
    const others = range(0, 200).map(() => next('OTHER'));
    expire(0);
    expect((await rejection(first)).command).toBe('FIRST');
    deliver('late', ...range(0, 200));
    expect(await Promise.all(others)).toEqual(range(0, 200));
  });

  test('one behind others may expire before them', async () => {
    const waits = next('BLPOP');
    const behind = next('GET');
    expire(1);
    expect((await rejection(behind)).command).toBe('GET');
    deliver(['list', 'value'], 'late');
    expect(await waits).toEqual(['list', 'value']);
  });
});

describe('answers out of place', () => {
  const broken = (act) => {
    const queue = createReplyQueue();
    const told = jest.fn();
    queue.onMismatch = told;
    const next = (name) => {
      queue.callbacks.submitted[0]++;
      return queue.next(name);
    };
    const promises = [next('GET'), next('MGET')];
    act(queue.callbacks);
    return { queue, next, told, outcomes: Promise.allSettled(promises) };
  };
  const ERRORS = [
    { status: 'rejected', reason: expect.objectContaining({ code: 'PROTOCOL_ERROR', command: 'GET' }) },
    { status: 'rejected', reason: expect.objectContaining({ code: 'PROTOCOL_ERROR', command: 'MGET' }) },
  ];

  test.each([
    ['a value for another than the oldest', (callbacks) => callbacks.deliver(1, 'of somebody else')],
    ['a failure of another than the oldest', (callbacks) => callbacks.fail(1, 'ERR', 'of somebody else')],
    ['more values than commands', (callbacks) => callbacks.deliver(0, 'one', 'two', 'three')],
  ])('%s: everybody is rejected, and the connection is given up', async (_, act) => {
    const { queue, told, outcomes } = broken(act);
    expect(await outcomes).toEqual(ERRORS);
    expect(told).toHaveBeenCalledTimes(1);
    expect(queue.length).toBe(0);
  });

  test('a promise for which nothing was submitted takes nobody’s answer', async () => {
    const { queue, told, outcomes } = broken((callbacks) => callbacks.expire(7));
    const ghost = queue.next('GHOST');
    await expect(ghost).rejects.toMatchObject({ code: 'PROTOCOL_ERROR', command: 'GHOST' });
    expect(await outcomes).toEqual(ERRORS);
    expect(told).toHaveBeenCalledTimes(1);
  });

  test('what the native side finds: everybody is rejected, and the next one is in step again', async () => {
    const { queue, next, outcomes } = broken((callbacks) => callbacks.broken('an answer came out of place'));
    expect(await outcomes).toEqual(ERRORS);
    const ping = next('PING');
    // Of those that were rejected the native side may still tell.
    queue.callbacks.fail(1, 'CONNECTION_LOST', 'gone');
    queue.callbacks.deliver(1, 'of MGET', 'PONG');
    expect(await ping).toBe('PONG');
  });
});
