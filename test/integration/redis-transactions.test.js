'use strict';
// A transaction is sent whole or not at all: whatever becomes of the connection, nothing of it runs by itself.

const { createRedis } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { delay, nextEvent, rejection, turns } = require('../helpers/until');

const PART = 'x'.repeat(10_000);

let server;
let direct;
let proxy;
let clients = [];
const connect = (options = {}) => {
  const client = createRedis({ url: proxy.url, ...options });
  clients.push(client);
  return client;
};
const write = (transaction, name, parts, value = PART) => {
  for (let i = 0; i < parts; i++) transaction.set(`${name}:${i}`, value);
  return transaction;
};

beforeAll(async () => {
  server = await RedisServer.start({ args: ['--enable-debug-command', 'yes'] });
  direct = createRedis(server.url);
});
beforeEach(async () => {
  await direct.flushall();
  proxy = await FaultProxy.start(server.port);
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await proxy.close();
});
afterAll(async () => {
  await direct.close();
  await server.stop();
});

describe('a connection that is cut', () => {
  test('at any byte on its way out: all of it or nothing, and nothing afterwards', async () => {
    const client = connect();
    await client.ping();
    const parts = 40;
    // In the beginning, in a length, in a value, in the last command, in EXEC, and behind all of it.
    const outcomes = [];
    for (const at of [1, 14, 20, 5_000, 64 << 10, (64 << 10) + 1, 200_000, 390_000, 401_000, 401_600, 10_000_000]) {
      await client.ping();
      proxy.cut('toServer', at);
      const name = `out:${at}`;
      const result = write(client.multi(), name, parts)
        .exec()
        .then(
          () => 'done',
          (error) => error.code,
        );
      outcomes.push(await result);
      proxy.pass();
      await client.ping();
      const there = (await direct.keys(`${name}:*`)).length;
      expect([at, there]).toEqual([at, outcomes.at(-1) === 'done' ? parts : 0]);
    }
    expect(outcomes.at(-1)).toBe('done');
    expect(outcomes.filter((outcome) => outcome === 'CONNECTION_LOST').length).toBeGreaterThan(7);
  });

  test('on the way back: unknown to us, but never half', async () => {
    const client = connect();
    const parts = 40;
    for (const at of [0, 1, 5, 9, 50, 200, 9 * parts + 3, 9 * parts + 10]) {
      await client.ping();
      proxy.cut('toClient', at);
      const name = `back:${at}`;
      const error = await rejection(write(client.multi(), name, parts).exec());
      expect(error.code).toBe('CONNECTION_LOST');
      proxy.pass();
      await client.ping();
      expect([0, parts]).toContain((await direct.keys(`${name}:*`)).length);
    }
  });

  test('while most of it still waits in the client', async () => {
    const client = connect();
    await client.ping();
    proxy.pause();
    // More than the kernel takes.
    const lost = rejection(write(client.multi(), 'large', 300, 'y'.repeat(100_000)).exec());
    const behind = client.echo('behind');
    await delay(20);
    proxy.reset();
    proxy.pass();
    expect((await lost).code).toBe('CONNECTION_LOST');
    // Not of the group, and never sent: it waits for the next connection.
    expect(await behind).toBe('behind');
    expect(await direct.dbsize()).toBe(0);
    expect(await write(client.multi(), 'next', 2, 1).exec()).toEqual(['OK', 'OK']);
  });
});

describe('a server that becomes a replica', () => {
  let master;
  beforeAll(async () => {
    master = await RedisServer.start();
  });
  afterEach(() => direct.call('REPLICAOF', 'NO', 'ONE'));
  afterAll(() => master.stop());

  test('the rest of a transaction does not follow to the new master', async () => {
    const client = connect();
    await client.ping();
    await delay(1100);
    await direct.call('REPLICAOF', '127.0.0.1', '1');
    proxy.target = master.port;
    const readonly = rejection(client.set('k', 1));
    const lost = rejection(write(client.multi(), 'rest', 300, 'y'.repeat(100_000)).exec());
    expect((await readonly).code).toBe('READONLY');
    expect(['CONNECTION_LOST', 'EXECABORT']).toContain((await lost).code);
    expect(await client.ping()).toBe('PONG');
    expect(await client.dbsize()).toBe(0);
    expect(await client.set('k', 2)).toBe('OK');
  });

  test('close() ends while the client changes the connection', async () => {
    const client = connect({ heartbeat: 0, commandTimeout: '1s' });
    await client.ping();
    await delay(1100);
    await direct.call('REPLICAOF', '127.0.0.1', '1');
    // The answers must not come together.
    proxy.delay(30);
    const readonly = rejection(client.set('k', 1));
    await delay(10);
    const slow = client.call('DEBUG', 'SLEEP', '0.2');
    expect((await readonly).code).toBe('READONLY');
    const waiting = client.ping().catch((error) => error.code);
    const began = performance.now();
    await client.close();
    expect(performance.now() - began).toBeLessThan(800 * PATIENCE);
    expect(await slow).toBe('OK');
    expect(['PONG', 'CLIENT_CLOSED']).toContain(await waiting);
  });
});

describe('a queue that is full', () => {
  test('without a connection: the oldest group goes as a whole', async () => {
    proxy.refuse();
    const client = connect({ maxQueuedCommands: 6 });
    const first = rejection(client.multi().set('a:1', 1).set('a:2', 1).exec());
    const second = client.multi().set('b:1', 1).exec(); // 3 commands; with those 4 it is one too many for a later one
    const third = client.set('c', 1);
    expect((await first).code).toBe('QUEUE_FULL');
    proxy.pass();
    expect(await second).toEqual(['OK']);
    expect(await third).toBe('OK');
    expect((await direct.keys('*')).sort()).toEqual(['b:1', 'c']);
  });

  test('behind a server that is slow to read: refused as a whole', async () => {
    const client = connect({ maxQueuedBytes: 60 });
    await client.ping();
    proxy.pause();
    const large = client.set('large', 'y'.repeat(30_000_000));
    await turns(2);
    const queued = [1, 2, 3].map((i) => client.echo(i));
    await turns(2);
    const error = await rejection(client.multi().set('a:1', 1).set('a:2', 1).exec());
    expect(error.code).toBe('QUEUE_FULL');
    expect(error.message).toMatch(/ wait for the server \(options maxQueuedCommands, maxQueuedBytes\)$/);
    proxy.pass();
    expect(await Promise.all([large, ...queued])).toEqual(['OK', '1', '2', '3']);
    expect(await client.ping()).toBe('PONG');
    expect(await direct.keys('*')).toEqual(['large']);
  });

  test('expired: the whole group', async () => {
    proxy.refuse();
    const client = connect({ commandTimeout: '100ms' });
    const results = [rejection(write(client.multi(), 'late', 5).exec()), rejection(client.multi().incr('n').exec())];
    expect((await Promise.all(results)).map((error) => error.code)).toEqual(['COMMAND_TIMEOUT', 'COMMAND_TIMEOUT']);
    const ready = nextEvent(client, 'ready');
    proxy.pass();
    await ready;
    expect(await client.ping()).toBe('PONG');
    expect(await direct.dbsize()).toBe(0);
  });
});

test('an error while queueing runs nothing; one while running keeps the rest', async () => {
  const client = connect();
  expect((await rejection(client.multi().set('k', 1).call('NOSUCH').exec())).code).toBe('EXECABORT');
  expect(await direct.exists('k')).toBe(0);
  const results = await client.multi().set('k', 'text').incr('k').set('l', 1).exec();
  expect(results.map((result) => result.code ?? result)).toEqual(['OK', 'ERR', 'OK']);
});

test('commands of others stay out of a large transaction of the same client', async () => {
  const client = connect();
  const results = [];
  for (let i = 0; i < 20; i++) {
    results.push(write(client.multi(), `mixed:${i}`, 30).exec());
    results.push(client.echo(`outside ${i}`));
  }
  const settled = await Promise.all(results);
  for (let i = 0; i < 20; i++) {
    expect(settled[2 * i]).toEqual(Array(30).fill('OK'));
    expect(settled[2 * i + 1]).toBe(`outside ${i}`);
  }
});
