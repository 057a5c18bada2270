'use strict';
// The ring of promises that replies settle by order alone.

const { RedisError } = require('../../lib/errors');
const { createReplyQueue } = require('../../lib/redis/reply-queue');
const { rejection } = require('../helpers/until');

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

describe('createReplyQueue', () => {
  let queue;
  let callbacks;
  beforeEach(() => {
    queue = createReplyQueue();
    callbacks = queue.callbacks;
  });

  test('settles in order, however the replies are cut into batches', async () => {
    const promises = range(0, 10).map(() => queue.next('GET'));
    callbacks.deliver(0);
    callbacks.deliver(1, 2, 3);
    callbacks.deliver();
    callbacks.deliver(4, 5, 6, 7, 8, 9);
    expect(await Promise.all(promises)).toEqual(range(0, 10));
    expect(queue.length).toBe(0);
  });

  test('keeps the order when it grows while it is wrapped around', async () => {
    const promises = range(0, 50).map(() => queue.next('GET'));
    callbacks.deliver(...range(0, 40));
    // Its head is at 40 of 64: what comes now wraps, and then grows, several times.
    promises.push(...range(50, 1000).map(() => queue.next('GET')));
    expect(queue.length).toBe(960);
    callbacks.deliver(...range(40, 1000));
    expect(await Promise.all(promises)).toEqual(range(0, 1000));
  });

  test('keeps the order over random growth and shrinkage', async () => {
    const promises = [];
    let delivered = 0;
    let random = 1;
    for (let round = 0; round < 400; round++) {
      random = (random * 48_271) % 2_147_483_647;
      for (let i = random % 97; i > 0; i--) promises.push(queue.next('GET'));
      const count = Math.min(random % 89, promises.length - delivered);
      callbacks.deliver(...range(delivered, delivered + count));
      delivered += count;
    }
    callbacks.deliver(...range(delivered, promises.length));
    expect(await Promise.all(promises)).toEqual(range(0, promises.length));
  });

  test('undefined and null are values', async () => {
    const promises = [queue.next('GET'), queue.next('GET'), queue.next('GET')];
    callbacks.deliver(undefined, null, false);
    expect(await Promise.all(promises)).toEqual([undefined, null, false]);
  });

  test('fails the oldest with an error reply, whose first word is the code', async () => {
    const failing = queue.next('INCR');
    const next = queue.next('GET');
    callbacks.fail('', 'WRONGTYPE Operation against a key');
    callbacks.deliver('next');
    const error = await rejection(failing);
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({ code: 'WRONGTYPE', message: 'WRONGTYPE Operation against a key', command: 'INCR' });
    expect(await next).toBe('next');
  });

  test('fails the oldest with an error of our own', async () => {
    const failing = queue.next('SET');
    callbacks.fail('CONNECTION_LOST', 'gone');
    expect(await rejection(failing)).toMatchObject({
      name: 'RedisError',
      code: 'CONNECTION_LOST',
      message: 'SET: gone',
      command: 'SET',
    });
  });

  test('one that expired keeps its place until its reply comes', async () => {
    const slow = [queue.next('GET'), queue.next('MGET')];
    const next = queue.next('PING');
    callbacks.expire(2);
    expect(await rejection(slow[0])).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'GET' });
    expect(await rejection(slow[1])).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'MGET' });
    expect(queue.length).toBe(3);
    callbacks.deliver('late', 'later', 'mine');
    expect(await next).toBe('mine');
  });

  test('expires in steps, with late replies in between', async () => {
    const promises = range(0, 6).map((i) => queue.next(`C${i}`));
    const outcomes = Promise.allSettled(promises);
    callbacks.expire(1);
    callbacks.expire(2); // 1 and 2
    callbacks.deliver('late 0', 'late 1');
    callbacks.expire(1); // 3
    callbacks.deliver('late 2', 'late 3', 'four');
    callbacks.expire(1); // 5
    callbacks.fail('CONNECTION_LOST', 'gone');
    const next = queue.next('C6');
    callbacks.deliver('six');
    expect((await outcomes).map((outcome) => outcome.value ?? outcome.reason.message)).toEqual([
      'C0: no answer within the command timeout',
      'C1: no answer within the command timeout',
      'C2: no answer within the command timeout',
      'C3: no answer within the command timeout',
      'four',
      'C5: no answer within the command timeout',
    ]);
    expect(await next).toBe('six');
  });

  test('an expired one may fail late, too', async () => {
    const slow = queue.next('GET');
    const next = queue.next('GET');
    callbacks.expire(1);
    callbacks.fail('', 'ERR late');
    callbacks.deliver('mine');
    expect((await rejection(slow)).code).toBe('COMMAND_TIMEOUT');
    expect(await next).toBe('mine');
  });

  test('a timeout after growth finds the right one', async () => {
    range(0, 60).forEach(() => queue.next('OLD'));
    callbacks.deliver(...range(0, 60));
    const first = queue.next('FIRST');
    const others = range(0, 200).map(() => queue.next('OTHER'));
    callbacks.expire(1);
    expect((await rejection(first)).command).toBe('FIRST');
    callbacks.deliver('late', ...range(0, 200));
    expect(await Promise.all(others)).toEqual(range(0, 200));
  });
});
