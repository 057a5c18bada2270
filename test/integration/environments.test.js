'use strict';
// Where the addon lives: worker threads that come and go, several realms, processes that end in the middle of things.

const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { createCache, createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { runScript, ROOT } = require('../helpers/run-script');
const { delay } = require('../helpers/until');

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

/** A worker with `tiercel`, `url` and `port`, and a promise of its exit code. */
function work(script, workerData = {}) {
  const prelude = `
    const { parentPort, workerData } = require('node:worker_threads');
    const tiercel = require(${JSON.stringify(ROOT)});
    const url = ${JSON.stringify(server.url)};
    (async () => {${script}\n})();`;
  const worker = new Worker(prelude, { eval: true, workerData });
  const exit = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  const message = new Promise((resolve) => worker.once('message', resolve));
  return { worker, exit, message };
}

describe('worker threads', () => {
  test('each has a cache, and ends by itself', async () => {
    const script = `
      const own = tiercel.createCache({ redis: false, namespace: 'own-' + workerData.name });
      const shared = tiercel.createCache({ redis: url });
      await own.set('k', workerData.name);
      await shared.set('worker ' + workerData.name, workerData.name);
      parentPort.postMessage([await own.get('k'), await own.has('other'), await shared.get('worker ' + workerData.name)]);
      await Promise.all([own.close(), shared.close()]);`;
    const workers = ['a', 'b', 'c', 'd'].map((name) => work(script, { name }));
    expect(await Promise.all(workers.map(({ message }) => message))).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => [name, false, name]),
    );
    expect(await Promise.all(workers.map(({ exit }) => exit))).toEqual([0, 0, 0, 0]);
    const cache = createCache({ redis: server.url });
    expect(await cache.get('worker a')).toBe('a');
    await cache.close();
  });

  test('with memory.shared, all share the memory of a namespace, its loads and its invalidations', async () => {
    const cache = createCache({ redis: false, namespace: 'threads', memory: { shared: true } });
    await cache.set('main', { from: 'main' });
    await cache.set('removed', 1);
    const script = `
      const cache = tiercel.createCache({ redis: false, namespace: 'threads', memory: { shared: true } });
      const main = await cache.get('main');
      let loads = 0;
      const load = () => new Promise((resolve) => setTimeout(resolve, 50, { loads: ++loads }));
      await cache.getOrSet('loaded', load, { tags: ['t'] });
      await cache.set('worker ' + workerData.name, workerData.name);
      await cache.delete('removed');
      parentPort.postMessage([main, loads]);
      await cache.close();`;
    const workers = ['a', 'b', 'c'].map((name) => work(script, { name }));
    const told = await Promise.all(workers.map(({ message }) => message));
    expect(told.map(([main]) => main)).toEqual([{ from: 'main' }, { from: 'main' }, { from: 'main' }]);
    expect(told.reduce((sum, [, loads]) => sum + loads, 0)).toBe(1);
    expect(await Promise.all(workers.map(({ exit }) => exit))).toEqual([0, 0, 0]);
    expect(await cache.getMany(['worker a', 'worker b', 'worker c', 'removed'])).toEqual(['a', 'b', 'c', undefined]);
    expect(cache.peek('loaded')).toEqual({ loads: 1 });
    await cache.invalidateTag('t');
    expect(cache.peek('loaded')).toBeUndefined();
    await cache.close();
  });

  test('20 that are terminated in the middle of I/O take nothing with them', async () => {
    const cache = createCache({ redis: server.url });
    await cache.set('k', 1);
    for (let i = 0; i < 20; i++) {
      const { worker, exit, message } = work(`
        const cache = tiercel.createCache({ redis: url });
        const client = tiercel.createRedis(url);
        const gone = tiercel.createRedis('redis://127.0.0.1:1');
        const unresolved = tiercel.createRedis('redis://localhost:1');
        await client.ping();
        const big = 'x'.repeat(100_000);
        for (let n = 0; ; n++) {
          for (let j = 0; j < 50; j++) {
            cache.getOrSet('w' + (j % 10), () => big, 1).catch(() => {});
            client.set('busy', big).catch(() => {});
            client.get('busy').catch(() => {});
          }
          if (n === 1) parentPort.postMessage('busy');
          await new Promise(setImmediate);
          await client.ping();
        }`);
      await message;
      await delay(i % 5);
      await worker.terminate();
      await exit;
      expect(await cache.get('k')).toBe(1);
    }
    await cache.close();
  });

  test('one that ends with open connections ends', async () => {
    const { exit } = work(`
      tiercel.createCache({ redis: url }).get('k');
      await tiercel.createRedis(url).ping();
      process.exit(7);`);
    expect(await exit).toBe(7);
  });

  test('one that is terminated while Redis does not answer', async () => {
    const { worker, exit, message } = work(`
      const cache = tiercel.createCache({ redis: url });
      await cache.set('k', 1);
      cache.get('k');
      tiercel.createRedis(url).call('BLPOP', 'nothing', 0);
      parentPort.postMessage('waiting');`);
    await message;
    server.pause();
    try {
      await worker.terminate();
      await exit;
    } finally {
      server.resume();
    }
  });
});

describe('processes', () => {
  const url = () => JSON.stringify(server.url);

  test.each([
    ['process.exit in the middle of I/O', 'process.exit(0);'],
    ['process.exit in an answer', "client.ping().then(() => process.exit(0)); await client.call('BLPOP', 'none', 0);"],
    ['process.exit after destroy()', 'client.destroy(); process.exit(0);'],
    ['process.exit in the middle of close()', 'client.close(); cache.close(); process.exit(0);'],
    ['an event that exits', "client.on('close', () => process.exit(0)); client.destroy(); cache.close();"],
  ])('%s: code 0, nothing printed', async (_name, ending) => {
    const result = await runScript(`
      const cache = tiercel.createCache({ redis: ${url()} });
      const client = tiercel.createRedis(${url()});
      await client.ping();
      for (let i = 0; i < 1000; i++) {
        cache.getOrSet('e' + i, () => 'x'.repeat(1000)).catch(() => {});
        client.set('e', i).catch(() => {});
      }
      ${ending}`);
    expect(result).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  test.each([
    ['opened and closed', 'await client.close();'],
    ['opened and destroyed', 'client.destroy();'],
    ['used and closed', 'await client.ping(); await client.close();'],
    ['used and closed at once', 'client.ping().catch(() => {}); client.close();'],
  ])('a client that was %s lets it end', async (_name, script) => {
    const result = await runScript(`const client = tiercel.createRedis(${url()}); ${script}`);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.ms).toBeLessThan(3000);
  });

  test('caches that nobody closes are collected, and the process ends', async () => {
    const result = await runScript(`
      for (let i = 0; i < 200; i++) {
        const cache = tiercel.createCache({ redis: false });
        await cache.set('k', 'x'.repeat(10_000));
        await cache.get('k');
      }`);
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('realms', () => {
  test('values, bytes and arguments of another realm', async () => {
    const cache = createCache({ redis: server.url });
    const client = createRedis(server.url);
    const other = vm.createContext({ Buffer });
    const run = (code) => vm.runInContext(code, other);
    expect(await cache.set('realm', run('({ a: [1, null] })'), run('({ ttl: 10 })'))).toBe(true);
    expect(await cache.get('realm')).toEqual({ a: [1, null] });
    expect(await cache.setMany(run('new Map([["r1", 1]])'))).toBe(true);
    expect(await cache.getMany(run('["r1"]'))).toEqual([1]);
    expect(await cache.getOrSet('r2', run('async () => "loaded"'))).toBe('loaded');
    await cache.set('bytes', run('new Uint8Array([1, 2, 3])'));
    const bytes = await cache.get('bytes');
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(await client.call('ECHO', run('new Uint8Array([97])'))).toBe('a');
    await Promise.all([cache.close(), client.close()]);
  });

  test('the answers have the prototypes of this realm', async () => {
    const client = createRedis(server.url);
    await client.call('HSET', 'realm:h', 'a', 1);
    const [list, map, error] = await Promise.all([
      client.mget('realm:h'),
      client.call('HGETALL', 'realm:h'),
      client.get('realm:h').catch((reason) => reason),
    ]);
    expect(list instanceof Array).toBe(true);
    expect(map instanceof Map).toBe(true);
    expect(error instanceof Error).toBe(true);
    await client.close();
  });

  test('two copies of the library in one process share the addon, and the memory of a namespace', async () => {
    let second;
    jest.isolateModules(() => {
      second = require('../../lib');
    });
    expect(second.createCache).not.toBe(createCache);
    const [a, b] = [createCache({ redis: server.url }), second.createCache({ redis: server.url })];
    await a.set('copies', 1);
    expect(await b.get('copies')).toBe(1);
    const options = { redis: false, namespace: 'copies', memory: { shared: true } };
    const [c, d] = [createCache(options), second.createCache(options)];
    const other = second.createCache({ redis: false, namespace: 'another' });
    await c.set('k', { n: 1 });
    expect(await d.get('k')).toEqual({ n: 1 });
    expect(await other.get('k')).toBeUndefined();
    await d.delete('k');
    expect(await c.get('k')).toBeUndefined();
    const error = await b.delete('').catch((reason) => reason);
    expect(error).toBeInstanceOf(TypeError);
    await Promise.all([a, b, c, d, other].map((cache) => cache.close()));
    await expect(d.get('k')).rejects.toBeInstanceOf(second.CacheError);
  });
});
