'use strict';
// One HTTP server of bench/http.js in a process of its own. usage: node http-server.js VARIANT BYTES [REDIS_URL]
// Prints its port when it listens. Ends with SIGTERM.

const http = require('node:http');

const [variant, bytesText, redis] = process.argv.slice(2);
const body = Buffer.from(JSON.stringify({ data: 'x'.repeat(Number(bytesText) - '{"data":""}'.length) }));
const TYPE = 'application/json; charset=utf-8';

/** What every constant answer is: the least that one can write. */
function constant(req, res) {
  res.writeHead(200, { 'Content-Type': TYPE, 'Content-Length': body.length });
  res.end(body);
}

/** The app behind a cache: it should run once. */
function origin(req, res) {
  res.writeHead(200, { 'Content-Type': TYPE, 'Cache-Control': 'public, max-age=3600' });
  res.end(body);
}

function tiercel(tier) {
  const { createCache } = require('../..');
  const { cacheResponse } = require('../../lib/http');
  const options = tier === 'redis' ? { redis, memory: false } : { redis: false };
  return { cache: createCache(options), cacheResponse };
}

/** @param {Array<Function>} handlers of the one route */
function expressApp(...handlers) {
  const app = require('express')();
  app.get('/api/items/:id', ...handlers);
  return app;
}

function tiercelFront(tier) {
  const { cache, cacheResponse } = tiercel(tier);
  return cacheResponse.front(expressApp(origin), { cache });
}

function tiercelMiddleware(tier) {
  const { cache, cacheResponse } = tiercel(tier);
  const app = require('express')();
  app.use(cacheResponse({ cache }));
  app.get('/api/items/:id', origin);
  return app;
}

const listeners = {
  bare: () => constant,
  origin: () => origin,
  front: () => tiercelFront('memory'),
  'front-redis': () => tiercelFront('redis'),
  express: () => expressApp(constant),
  'express-send': () =>
    expressApp((req, res) => {
      res.type(TYPE).send(body);
    }),
  middleware: () => tiercelMiddleware('memory'),
  'middleware-redis': () => tiercelMiddleware('redis'),
  apicache: () =>
    expressApp(
      require('apicache')
        .options({ statusCodes: { include: [200] } })
        .middleware('1 hour'),
      origin,
    ),
};

const server = http.createServer(listeners[variant]());
server.listen(0, '127.0.0.1', () => {
  console.log(server.address().port);
});
process.once('SIGTERM', () => process.exit(0));
