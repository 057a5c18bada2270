'use strict';
// What the suite is run against: an Express app whose one route is a reverse proxy to the suite's origin, with Tiercel's
// HTTP cache mounted in it, mounted in front of it, or not at all.

const http = require('node:http');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { ownNamespace } = require('../helpers/memory-cache');
const { PROFILES } = require('./options');
const { reverseProxy } = require('./reverse-proxy');

const MOUNTS = ['middleware', 'front', 'none'];
const EXPRESS = { 4: 'express4', 5: 'express' };

/**
 * @param {object} origin where the reverse proxy sends its requests
 * @param {object} options
 * @param {'middleware' | 'front' | 'none'} options.mount
 * @param {import('./options').Profile} [options.profile]
 * @param {4 | 5} [options.express]
 * @param {'raw' | 'parsed'} [options.fields] see reverse-proxy.js
 * @param {string} [options.redis] URL of the second tier
 * @returns {Promise<{ baseUrl: string, stop(): Promise<void> }>}
 */
async function startTarget(origin, { mount, profile = 'safe', express = 5, fields = 'raw', redis }) {
  const cache = createCache({ namespace: ownNamespace(), redis: redis ?? false });
  const proxy = reverseProxy(origin, { fields });
  const app = require(EXPRESS[express])();
  let listener = app;
  if (mount === 'middleware') app.use(cacheResponse({ ...PROFILES[profile], cache }));
  app.use(proxy);
  if (mount === 'front') listener = cacheResponse.front(app, { ...PROFILES[profile], cache });

  const server = http.createServer(listener);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  async function stop() {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    proxy.close();
    await cache.close();
  }
  return { baseUrl: `http://127.0.0.1:${port}`, stop };
}

module.exports = { startTarget, MOUNTS };
