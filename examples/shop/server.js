'use strict';
// Starts the shop: node examples/shop/server.js. PORT (default 3000) and REDIS_URL are read from the environment.

const { randomUUID } = require('node:crypto');
const { once } = require('node:events');
const { createCache } = require('tiercel');
const { createShop } = require('./app');
const { openDatabase } = require('./database');

/**
 * A cache for one database. The database begins anew with every start, while Redis outlives it: the version keeps what
 * was cached of an earlier one from being read. (A shop with a lasting database would raise it with its schema.)
 */
function openCache(options) {
  return createCache({ namespace: 'shop', version: randomUUID(), ...options });
}

/** Listens, and resolves to `{ url, close() }`. close() lets requests finish, but does not wait for idle connections. */
async function listen(app, port = 0, host = '127.0.0.1') {
  const server = app.listen(port, host);
  await once(server, 'listening');
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    await closed;
  };
  return { url: `http://${host}:${server.address().port}`, close };
}

/** Calls shutDown once, on the first SIGINT or SIGTERM, and ends the process if it takes longer than 10 s. */
function onSignal(shutDown) {
  let isStopping = false;
  const stop = (signal) => {
    if (isStopping) return;
    isStopping = true;
    console.log(`${signal}: closing`);
    setTimeout(() => process.exit(1), 10_000).unref();
    shutDown().catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function main() {
  const db = await openDatabase();
  const cache = openCache();
  cache.on('redis:connect', () => console.log('Redis is connected'));
  cache.on('redis:close', ({ reason }) => console.warn(`Redis is gone (${reason}); the shop goes on without it`));
  const server = await listen(createShop({ db, cache }), Number(process.env.PORT ?? 3000));
  console.log(`The shop is at ${server.url}: /api/products /api/categories /api/dashboard /health`);
  onSignal(async () => {
    await server.close();
    await cache.close();
    await db.close();
  });
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = { openCache, listen, onSignal };
