'use strict';
// A server that announces no changes: memory is trusted for a moment, and what is served from it is as fresh as it is.
const express = require('express');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');

let redis;
let cache;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
beforeEach(() => {
  cache = createCache({ redis: { url: redis.url, protocol: 2 } });
});
afterEach(async () => {
  await cache.clear();
  await cache.close();
});

const inMemory = (key) =>
  until('the value in memory', async () => (await cache.get(key), cache.peek(key) !== undefined));

test('what is read from memory has its own lifetime, age and freshness', async () => {
  await cache.set('k', 'value', { ttl: '60s', staleWhileRevalidate: '60s' });
  await inMemory('k');
  const found = await cache.read('k');
  expect(found).toMatchObject({ tier: 'memory', status: 'hit' });
  expect(found.ttl).toBeGreaterThan(30);
  expect(found.age).toBeLessThan(30);
  expect(await cache.ttl('k')).toBeGreaterThan(30);
  const { memory } = await cache.inspect('k');
  expect(memory.ttl).toBeGreaterThan(30);
  expect(memory.age).toBeLessThan(30);
});

test('what is fresh is not refreshed ahead of time', async () => {
  let loads = 0;
  const get = () => cache.getOrSet('k', () => ++loads, { ttl: '60s', refreshAhead: 0.5 });
  await get();
  await inMemory('k');
  for (let i = 0; i < 20; i++) expect(await get()).toBe(1);
  expect(loads).toBe(1);
});

test('a stored response is served for all of its lifetime', async () => {
  let runs = 0;
  const app = express();
  app.get('/', cacheResponse({ cache, ttl: '60s' }), (_req, res) => res.send(`${++runs}`));
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  try {
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
      expect(await response.text()).toBe('1');
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
