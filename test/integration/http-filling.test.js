'use strict';
// What is asked while an answer is on its way into Redis: it is whole, and stored for all that its readers can tell.
const express = require('express');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { serve, request, cleanUp, onCleanUp } = require('../helpers/http');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');

const SLOW_MS = 100; // each way

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());
afterEach(cleanUp);

/** A site behind a Redis that takes its time. */
async function start(control) {
  const proxy = await FaultProxy.start(server.port);
  const cache = createCache({ redis: { port: proxy.port }, namespace: `filling${proxy.port}`, commandTimeout: '5s' });
  onCleanUp(async () => {
    await cache.close();
    await proxy.close();
  });
  await until('a connection', async () => (await cache.health()).redis === 'ok');
  const state = { runs: 0, conditions: [] };
  const app = express().use(cacheResponse({ cache }));
  app.get('/', (req, res) => {
    state.runs++;
    state.conditions.push(req.get('if-none-match'));
    res.set('Cache-Control', control).set('ETag', '"same"').send('page');
  });
  const site = await serve(app);
  proxy.delay(SLOW_MS);
  return { state, get: () => request(site, '/') };
}

test('a fresh answer is a hit', async () => {
  const { state, get } = await start('max-age=60');
  await get();
  const next = await get();
  expect([next.body, next.cacheStatus]).toEqual(['page', 'tiercel; hit; ttl=59; detail=memory']);
  expect(state.runs).toBe(1);
});

test('one that is not to be used without revalidation is revalidated', async () => {
  const { state, get } = await start('no-cache');
  await get();
  const next = await get();
  expect([next.body, next.cacheStatus]).toEqual(['page', 'tiercel; fwd=stale; fwd-status=304; stored']);
  expect(state.conditions).toEqual([undefined, '"same"']);
});
