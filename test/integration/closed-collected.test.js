'use strict';
// What is closed leaves nothing: it is collected, with its native half, and its async resources have ended, so that
// `jest --detectOpenHandles` names what was forgotten and nothing else.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { RedisServer } = require('../helpers/redis-server');
const { ROOT } = require('../helpers/run-script');

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

/** What a script prints at its end, as JSON; `tiercel` and `url` are known to it. */
function printed(script, flags = []) {
  const whole = `const tiercel = require(${JSON.stringify(ROOT)}); const url = process.argv[1];
    (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));`;
  const options = { encoding: 'utf8', timeout: 100_000 };
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', whole, server.url], options);
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const COUNT = 200;
const KINDS = {
  'a cache without Redis': `const cache = tiercel.createCache({ redis: false });
    await cache.set('k', { i }, { tags: ['t'] });
    await cache.getOrSet('l', () => ({ i }));
    await cache.close(); return cache;`,
  'a cache with a connection of its own': `const cache = tiercel.createCache({ redis: url });
    await cache.set('k', { i });
    cache.get('late').catch(() => {});
    await cache.close(); return cache;`,
  'a cache on a client that goes on': `const cache = tiercel.createCache({ redis: client });
    await cache.set('k', { i }, { tags: ['t'] });
    cache.getOrSet('late' + i, () => new Promise((resolve) => setTimeout(resolve, 2))).catch(() => {});
    await cache.close(); return cache;`,
  'a namespace of a cache that goes on': `const part = parent.namespace('part' + (i % 3));
    await part.set('k', { i }, { tags: ['t'] });
    part.invalidateTag('t').catch(() => {});
    await part.close(); return part;`,
  'a client that was closed': `const own = tiercel.createRedis(url);
    await own.set('k', 'v'); await own.close(); return own;`,
  'a client that was destroyed': `const own = tiercel.createRedis(url);
    own.get('k').catch(() => {}); own.destroy(); return own;`,
};

test.each(Object.entries(KINDS))('%s is collected', (_, body) => {
  const script = `
    const client = tiercel.createRedis(url);
    const parent = tiercel.createCache({ redis: client });
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const one = async (i) => { ${body} };
    for (let i = 0; i < ${COUNT}; i++) registry.register(await one(i));
    for (let i = 0; i < 200 && collected < ${COUNT}; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await parent.close();
    await client.close();
    return collected;`;
  // The last one may still be in a register of the loop.
  expect(printed(script, ['--expose-gc'])).toBeGreaterThanOrEqual(COUNT - 1);
});

test('a namespace that was closed is opened anew', () => {
  const script = `
    const cache = tiercel.createCache({ redis: url });
    const first = cache.namespace('part');
    await first.set('k', 1);
    await first.close();
    const second = cache.namespace('part');
    const result = [first === second, await second.get('k'), cache.namespace('part') === second];
    await cache.close();
    return [...result, await second.get('k').catch(({ code }) => code)];`;
  expect(printed(script)).toEqual([false, 1, true, 'CACHE_CLOSED']);
});

test('an async resource that was begun has ended when close() is over', () => {
  const script = `
    const open = new Map();
    const hook = require('node:async_hooks').createHook({
      init: (id, type) => type.startsWith('tiercel') && open.set(id, type),
      destroy: (id) => open.delete(id),
    }).enable();
    const client = tiercel.createRedis(url);
    const caches = [{ redis: url }, { redis: false }, { redis: client }].map((options) => tiercel.createCache(options));
    const parts = caches.map((cache) => cache.namespace('part'));
    await Promise.all([...caches, ...parts].map((cache) => cache.getOrSet('k', () => 1)));
    const begun = open.size;
    await Promise.all(caches.map((cache) => cache.close()));
    await client.close();
    for (let i = 0; i < 500 && open.size > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    hook.disable();
    return [begun > 0, [...open.values()]];`;
  expect(printed(script)).toEqual([true, []]);
});

describe('jest --detectOpenHandles', () => {
  const directory = path.join(ROOT, '.cache', 'open-handles');
  const run = (body) => {
    fs.mkdirSync(directory, { recursive: true });
    const file = path.join(directory, 'handles.test.js');
    fs.writeFileSync(
      file,
      `const { createCache, createRedis } = require(${JSON.stringify(ROOT)});
       test('x', async () => { const url = ${JSON.stringify(server.url)}; ${body} });\n`,
    );
    const jest = require.resolve('jest/bin/jest');
    const args = [
      jest,
      '--detectOpenHandles',
      '--forceExit',
      '--rootDir',
      directory,
      '--testMatch',
      '**/handles.test.js',
    ];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 100_000, cwd: directory });
    expect(stderr).toContain('1 passed');
    return stderr.includes('open handle') ? stderr : 'nothing';
  };
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

  test('names nothing that was closed', () => {
    expect(
      run(`const client = createRedis(url);
        const caches = [createCache({ redis: false }), createCache({ redis: url }), createCache({ redis: client })];
        for (const cache of caches) {
          await cache.set('a', 1);
          await cache.getOrSet('b', async () => 2);
          await cache.namespace('part').set('c', 3);
          await cache.close();
        }
        await client.ping();
        await client.close();`),
    ).toBe('nothing');
  });

  test('names what was forgotten', () => {
    expect(run(`const client = createRedis(url); await client.ping();`)).toContain('tiercel:connection');
  });
});
