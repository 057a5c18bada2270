'use strict';
// Purges: by URL, key, tag and pattern, hard and soft, of every variant, and of what is being made meanwhile.
const express = require('express');
const { Agent, endAgents } = require('../helpers/agents');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { serve, request, cleanUp, onCleanUp } = require('../helpers/http');
const { everywhere } = require('../helpers/http-site');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { turns, until } = require('../helpers/until');

everywhere((test) => {
  const page = (/** @type {any} */ req, /** @type {any} */ res, /** @type {number} */ run) =>
    res.setHeader('Cache-Control', 'max-age=60').end(`run ${run}`);

  test('by URL: this one, and no other', async (start) => {
    const site = await start(page);
    for (const path of ['/a?q=1', '/a?q=2', '/b']) await site.get(path);
    for (const path of ['/a?q=1', '/a?q=2', '/b']) await site.hit(path);
    await site.caching.purge({ url: [`http://${site.host}/a?q=1`, `http://${site.host}/none`] });
    expect((await site.get('/a?q=1')).body).toBe('run 4');
    expect([(await site.get('/a?q=2')).body, (await site.get('/b')).body]).toEqual(['run 2', 'run 3']);
  });

  test('by key', async (start) => {
    const site = await start(page, { key: (/** @type {any} */ req) => `k${req.url.length}` });
    await site.get('/a');
    await site.hit('/b');
    await site.caching.purge({ key: 'k2' });
    expect((await site.get('/a')).body).toBe('run 2');
    await expect(site.caching.purge({ url: `http://${site.host}/a` })).rejects.toThrow(/purge by \{ key }/);
  });

  test('by pattern', async (start) => {
    const site = await start(page);
    for (const path of ['/shop/1', '/shop/2', '/blog/1']) await site.get(path);
    for (const path of ['/shop/1', '/shop/2', '/blog/1']) await site.hit(path);
    await site.caching.purge({ pattern: `http://${site.host}/shop/*` });
    expect((await site.get('/shop/1')).body).toBe('run 4');
    expect((await site.get('/shop/2')).body).toBe('run 5');
    expect((await site.get('/blog/1')).body).toBe('run 3');
  });

  test('the handler may give tags to responses that are not stored', async (start) => {
    const site = await start((req, res, run) => {
      res.cacheTags('one').cacheTags(['two'], 'three');
      page(req, res, run);
    });
    const methods = ['POST', 'PATCH', 'OPTIONS', 'GET'];
    for (const method of methods) {
      expect([method, (await site.get('/a', {}, { method })).status]).toEqual([method, 200]);
    }
    expect((await site.get('/a', { 'if-match': '"x"' })).status).toBe(200);
  });

  test('by tags: of the option, of the handler, and of the fields', async (start) => {
    const site = await start(
      (req, res, run) => {
        if (req.url === '/handler') res.cacheTags('one', 'two').cacheTags(['three']);
        if (req.url === '/cache-tag') res.setHeader('Cache-Tag', 'four, five');
        if (req.url === '/surrogate-key') res.setHeader('Surrogate-Key', 'six seven');
        page(req, res, run);
      },
      { tags: (/** @type {any} */ req) => (req.url === '/option' ? ['zero'] : []) },
    );
    /** @type {Array<[string, string[]]>} */
    const tagged = [
      ['/option', ['zero']],
      ['/handler', ['one', 'three']],
      ['/cache-tag', ['four', 'five']],
      ['/surrogate-key', ['six', 'seven']],
    ];
    for (const [path] of tagged) await site.get(path);
    for (const [path, tags] of tagged) {
      for (const tag of tags) {
        const before = (await site.hit(path)).body;
        await site.caching.purge({ tag });
        const after = await site.get(path);
        expect([path, tag, after.body === before]).toEqual([path, tag, false]);
      }
    }
    await site.hit('/option');
    await site.caching.purge({ tag: ['none', 'zero', 'seven'] });
    for (const path of ['/option', '/surrogate-key']) {
      expect((await site.get(path)).cacheStatus).toContain('fwd=uri-miss');
    }
    expect((await site.hit('/handler')).cacheStatus).toContain('hit');
  });

  test('every variant goes, and each comes back on its own', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Vary', 'Accept-Language');
      res.setHeader('Cache-Tag', 'page');
      page(req, res, run);
    });
    const get = (/** @type {string} */ language) => site.later('/', { 'accept-language': language });
    const bodies = async () => [(await get('de')).body, (await get('fr')).body];
    expect(await bodies()).toEqual(['run 1', 'run 2']);
    expect(await bodies()).toEqual(['run 1', 'run 2']);
    await site.caching.purge({ url: `http://${site.host}/` });
    expect(await bodies()).toEqual(['run 3', 'run 4']);
    expect(await bodies()).toEqual(['run 3', 'run 4']);
    await site.caching.purge({ tag: 'page' });
    expect(await bodies()).toEqual(['run 5', 'run 6']);
    await site.get('/', {}, { method: 'POST' });
    // The POST was run 7.
    expect(await bodies()).toEqual(['run 8', 'run 9']);
  });

  describe.each([
    ['one page', undefined],
    ['variants', 'Accept-Language'],
  ])('softly: %s', (what, vary) => {
    test('it is made anew, and stands in for an error', async (start) => {
      let isBroken = true;
      const site = await start((req, res, run) => {
        if (vary) res.setHeader('Vary', vary);
        if (run > 2 && isBroken) res.writeHead(503).end('broken');
        else res.setHeader('Cache-Control', 'max-age=60, stale-if-error=600').end(`run ${run}`);
      });
      const get = (/** @type {string} */ language) => site.later('/', { 'accept-language': language });
      await get('de');
      if (vary) await get('fr');
      else site.runs++;
      await turns(20);
      await site.caching.purge({ url: `http://${site.host}/`, soft: true });
      const stale = await get('de');
      expect([stale.status, stale.body]).toEqual([200, 'run 1']);
      expect(stale.cacheStatus).toContain('detail=stale-if-error');
      if (vary) expect((await get('fr')).body).toBe('run 2');
      isBroken = false;
      const body = `run ${site.runs + 1}`;
      expect((await get('de')).body).toBe(body);
      expect((await get('de')).body).toBe(body);
      if (vary) expect((await get('fr')).body).toBe(`run ${site.runs}`);
    });
  });

  describe('of a page that is being made', () => {
    /** @type {Array<[string, (site: any) => Promise<any>]>} */
    const ways = [
      ['url', (site) => site.caching.purge({ url: `http://${site.host}/` })],
      ['url, softly', (site) => site.caching.purge({ url: `http://${site.host}/`, soft: true })],
      ['tag of the option', (site) => site.caching.purge({ tag: 'known' })],
      ['tag of the handler', (site) => site.caching.purge({ tag: 'told' })],
      ['pattern', (site) => site.caching.purge({ pattern: `http://${site.host}/*` })],
      ['POST', (site) => site.get('/', {}, { method: 'POST' })],
    ];
    test.each(ways)('%s', async (start, way, purge) => {
      /** @type {any} */
      let open;
      const site = await start(
        (req, res, run) => {
          if (run === 1) {
            open = res;
            res.setHeader('Cache-Tag', 'told');
          } else page(req, res, run);
        },
        { tags: ['known'], ...(way.startsWith('tag') && { collapse: '200ms' }) },
      );
      const reading = site.get('/');
      await until('a run', () => open);
      await purge(site);
      // Nobody waits for the old one any more; but whose tags it will have is known only when it is there, so that a
      // purge by tag cannot tell those who wait, and they do so for as long as collapse says.
      const { runs } = site;
      const began = performance.now();
      expect((await site.get('/')).body).toBe(`run ${runs + 1}`);
      expect(performance.now() - began).toBeLessThan(4000);
      page({}, open, 1);
      expect((await reading).body).toBe('run 1');
      expect((await site.later('/')).body).not.toBe('run 1');
    });
  });
});

test('both kinds of mount obey one another', async () => {
  const cache = createCache({ redis: false, namespace: ownNamespace() });
  onCleanUp(() => cache.close());
  let runs = 0;
  const app = express().use((req, res) => void res.set('Cache-Control', 'max-age=60').send(`run ${++runs}`));
  const front = cacheResponse.front(app, { cache });
  const behind = cacheResponse({ cache });
  const [one, two] = [await serve(front), await serve(express().use(behind).use(app))];
  const headers = { host: 'a.test' };
  const get = async (/** @type {any} */ server) => (await request(server, '/', { headers })).body;
  expect([await get(one), await get(two), await get(one), await get(two)]).toEqual([
    'run 1',
    'run 2',
    'run 1',
    'run 2',
  ]);
  await behind.purge({ url: 'http://a.test/' });
  expect([await get(one), await get(two)]).toEqual(['run 3', 'run 4']);
  await cleanUp();
});

describe('two processes', () => {
  /** @type {any} */
  let redis;
  beforeAll(async () => (redis = await RedisServer.start()));
  afterEach(async () => {
    await endAgents();
    await cleanUp();
  });
  afterAll(() => redis.stop());

  test.each([
    ['url', { url: 'http://a.test/' }],
    ['tag', { tag: 'told' }],
    ['pattern', { pattern: 'http://a.test/*' }],
  ])('a purge by %s in one is one in the other, of pages stored and in the making', async (way, what) => {
    const namespace = ownNamespace();
    const cache = createCache({ redis: redis.url, namespace });
    onCleanUp(() => cache.close());
    let runs = 0;
    /** @type {any[]} */
    const held = [];
    let holds = false;
    const app = (/** @type {any} */ req, /** @type {any} */ res) => {
      const run = ++runs;
      const send = () => {
        res.setHeader('Vary', 'Accept-Language');
        res.setHeader('Cache-Tag', 'told');
        res.setHeader('Cache-Control', 'max-age=60').end(`run ${run}`);
      };
      if (holds) held.push(send);
      else send();
    };
    await until('a connection', async () => (await cache.health()).redis === 'ok');
    const server = await serve(cacheResponse.front(app, { cache }));
    const agent = await Agent.process({ redis: redis.url, namespace });
    const purge = () =>
      agent.run(async ({ cache: other, tiercel }, given) => {
        await tiercel.cacheResponse({ cache: other }).purge(given);
      }, what);
    const get = async (language = 'de') =>
      (await request(server, '/', { headers: { host: 'a.test', 'accept-language': language } })).body;
    expect([await get(), await get('fr'), await get(), await get('fr')]).toEqual(['run 1', 'run 2', 'run 1', 'run 2']);
    await purge();
    await until('the purge to be heard of', async () => (await get()) === 'run 3');
    expect(await get('fr')).toBe('run 4');

    holds = true;
    await purge();
    await turns(50);
    const reading = get();
    await until('a run', () => held.length === 1);
    await purge();
    await turns(50);
    holds = false;
    held[0]();
    expect(await reading).toBe('run 5');
    await turns(50);
    expect(await get()).toBe('run 6');
  });
});
