'use strict';
// memory.maxBytes bounds all that the process keeps because of the cache: entries, tags, decoded values and HTTP
// responses, of all namespaces and mounts together; and what is over is given back without traffic.
const { spawnSync } = require('node:child_process');
const { ROOT } = require('../helpers/run-script');

const MIB = 2 ** 20;
// Of the process: code that was compiled meanwhile, maps of V8.
const FREE = 2 * MIB;

/** What a script fills a cache with, measured in a process of its own after a collection. */
function measured(maxBytes, fill, { options = '{}', heap = 512 } = {}) {
  const whole = `
    const tiercel = require(${JSON.stringify(ROOT)});
    const http = require('node:http');
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const settled = async () => { for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); } };
    (async () => {
      const cache = tiercel.createCache({ redis: false, memory: { maxBytes: ${maxBytes} }, ...${options} });
      const warm = tiercel.createCache({ redis: false });
      const user = (i) => ({ id: i, name: 'name of ' + i, email: 'user' + i + '@example.org', tags: ['a', 'b'], address: { street: 'Street ' + i, city: 'City' } });
      const fill = async (cache, most) => { ${fill} };
      await fill(warm, 200);
      await warm.close();
      await settled();
      const before = process.memoryUsage();
      await fill(cache, Infinity);
      await settled();
      const after = process.memoryUsage();
      const { bytes, entryBytes, tagBytes, valueBytes, entries } = cache.memory.stats();
      const heap = after.heapUsed + after.external - before.heapUsed - before.external;
      await cache.close();
      console.log(JSON.stringify({ heap, bytes, entryBytes, tagBytes, valueBytes, entries }));
    })();`;
  const args = ['--expose-gc', `--max-old-space-size=${heap}`, '-e', whole];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 110_000 });
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const KINDS = {
  'small objects': `for (let i = 0; i < Math.min(most, 200_000); i++) {
    const key = 'user:' + i + ':profile:settings';
    cache.set(key, { a: 1 }); cache.peek(key);
    if (i % 1000 === 0) await turn();
  }`,
  'objects in objects': `for (let i = 0; i < Math.min(most, 60_000); i++) {
    cache.set('user:' + i, user(i)); cache.peek('user:' + i);
    if (i % 1000 === 0) await turn();
  }`,
  rows: `for (let i = 0; i < Math.min(most, 8_000); i++) {
    cache.set('rows:' + i, Array.from({ length: 24 }, (_, j) => ({ id: i + j, title: 'title of ' + j, price: j * 1.5, left: true })));
    cache.peek('rows:' + i);
    if (i % 100 === 0) await turn();
  }`,
  texts: `for (let i = 0; i < Math.min(most, 60_000); i++) {
    cache.set('text:' + i, 'v'.repeat(200 + (i % 50))); cache.peek('text:' + i);
    if (i % 1000 === 0) await turn();
  }`,
  'three tags each': `for (let i = 0; i < Math.min(most, 60_000); i++) {
    const tags = [0, 1, 2].map((j) => 'user:' + i + ':part:' + j + ':0123456789abcdef');
    cache.set('tagged:' + i, 'v', { tags });
    if (i % 1000 === 0) await turn();
  }`,
  'eight namespaces': `for (let n = 0; n < 8; n++) {
    const part = cache.namespace('part' + n);
    for (let i = 0; i < Math.min(most, 12_000); i++) {
      part.set('user:' + i, user(i)); part.peek('user:' + i);
      if (i % 1000 === 0) await turn();
    }
  }`,
  'ten mounts': `for (let n = 0; n < 10; n++) {
    const app = tiercel.cacheResponse.front((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end('b'.repeat(30_000));
    }, { cache, name: 'mount' + n, key: (req) => n + req.url });
    const server = http.createServer(app);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const get = (path) => fetch('http://127.0.0.1:' + server.address().port + path).then((response) => response.text());
    for (let i = 0; i < Math.min(most / 50, 60); i++) for (let j = 0; j < 3; j++) await get('/' + i);
    await new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  }`,
};

describe.each([
  ['copy', '{}'],
  ['frozen', "{ share: 'frozen' }"],
])('share: %s', (_, options) => {
  test.each(Object.entries(KINDS))('%s', (name, fill) => {
    const maxBytes = 8 * MIB;
    const { heap, bytes, entryBytes, tagBytes, valueBytes } = measured(maxBytes, fill, { options });
    expect(bytes).toBe(entryBytes + tagBytes + valueBytes);
    expect(bytes).toBeGreaterThan(maxBytes * 0.7);
    expect(bytes).toBeLessThanOrEqual(maxBytes * 1.05);
    // Native bytes, and what V8 holds for it.
    expect(heap + entryBytes + tagBytes).toBeLessThan(maxBytes * 1.15 + FREE);
  });
});

test('800,000 keys that are read twice: no heap is too small', () => {
  const fill = KINDS['small objects'].replace('200_000', '800_000');
  expect(measured(8 * MIB, fill, { heap: 64 }).bytes).toBeLessThanOrEqual(8 * MIB);
});

test('a large value leaves no buffer of its size behind', () => {
  const fill = `if (most < 1000) return;
    for (const kind of [false, true]) {
      await cache.set('large', kind ? Buffer.alloc(60 * 2 ** 20, 1) : 'x'.repeat(60 * 2 ** 20));
      await cache.getOrSet('large' + kind, () => 'y'.repeat(60 * 2 ** 20));
    }
    await settled();
    if (process.memoryUsage().rss - rss > 30 * 2 ** 20) throw new Error('RSS grew by ' + (process.memoryUsage().rss - rss));`;
  measured(MIB, `const rss = process.memoryUsage().rss; ${fill}`);
});

test('what has expired is given back without traffic, also what was kept decoded', () => {
  const fill = `if (most < 1000) return;
    for (let i = 0; i < 30_000; i++) {
      cache.set('user:' + i, user(i), { ttl: '1500ms' }); cache.peek('user:' + i);
      if (i % 1000 === 0) await turn();
    }
    for (let i = 0; i < 1000 && cache.memory.stats().bytes > 100_000; i++) await new Promise((resolve) => setTimeout(resolve, 50));`;
  const { heap, entries, valueBytes } = measured(32 * MIB, fill);
  expect([entries, valueBytes]).toEqual([0, 0]);
  expect(heap).toBeLessThan(FREE);
});

test('a namespace for each of 20,000 tenants costs 2 KB of heap, used or not', () => {
  const { heap, valueBytes, entries } = measured(
    64 * MIB,
    `for (let i = 0; i < Math.min(most, 20_000); i++) {
      const tenant = cache.namespace('tenant' + i);
      await tenant.set('k', user(i)); await tenant.get('k');
    }`,
  );
  expect(entries).toBe(20_000);
  expect(heap - valueBytes).toBeLessThan(20_000 * 2048 + 24 * MIB); // and what 1,000 of them have while they are awake
});
