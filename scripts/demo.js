'use strict';
// The demo: starts examples/shop, shows what the cache does to its answers, and stays up. Run it with `npm run demo`.
//   --once     ends after the figures: with 0, or with 1 when an answer was wrong or a hit not over 10 times faster
//   PORT       where the shop listens; default: any free port
//   REDIS_URL  the second tier; default: memory alone

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const http = require('node:http');
const { performance } = require('node:perf_hooks');
const { createShop } = require('../examples/shop/app');
const { openDatabase } = require('../examples/shop/database');
const { createQueries } = require('../examples/shop/queries');
const { listen, onSignal, openCache } = require('../examples/shop/server');

const ENDPOINTS = [
  { path: '/api/products', isExpensive: true },
  { path: '/api/products?category=3&search=lamp&sort=-rating', isExpensive: false },
  { path: '/api/products/42', isExpensive: false },
  { path: '/api/categories', isExpensive: true },
  { path: '/api/dashboard', isExpensive: true },
];
const HITS_MEASURED = 25;
const REQUIRED_SPEED_UP = 10;
const HEARTBEAT_MS = 2_000;
const REDIS_WAIT_MS = 3_000;

const REDIS_URL = process.env.REDIS_URL || undefined;
const agent = new http.Agent({ keepAlive: true });

/** Sends one request; resolves to `{ status, headers, body, ms }`, ms until the last byte was there. */
function send(url, { method = 'GET', json } = {}) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = json === undefined ? {} : { 'Content-Type': 'application/json' };
    const request = http.request(url, { method, agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - startedAt;
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(), ms });
      });
    });
    request.on('error', reject);
    request.end(json === undefined ? undefined : JSON.stringify(json));
  });
}

async function getJson(url) {
  const { status, body } = await send(url);
  assert.equal(status, 200, `GET ${url} was answered with ${status}: ${body}`);
  return JSON.parse(body);
}

/** One instance of the shop with a cache of its own, as a further process of it would have. */
async function openShop({ db, port, ...cacheOptions }) {
  const cache = openCache({ redis: REDIS_URL ?? false, ...cacheOptions });
  const server = await listen(createShop({ db, cache }), port);
  const close = async () => {
    await server.close();
    await cache.close();
  };
  return { url: server.url, cache, close };
}

/** Waits, but not for ever, until the cache can use its Redis. */
async function redisIsThere(cache) {
  const deadline = Date.now() + REDIS_WAIT_MS;
  let health = await cache.health();
  while (health.redis !== 'ok' && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    health = await cache.health();
  }
  if (health.redis !== 'ok') console.log(`Redis is not available (${health.reason}): the shop goes on without it.`);
  return health.redis === 'ok';
}

/** Where an answer came from: Cache-Status says whether it is a hit, the counters of the cache in which tier. */
function tierOf(cacheStatus, before, after) {
  if (!/;\s*hit\b/.test(cacheStatus)) return 'database';
  return after.redisHits > before.redisHits ? 'redis' : 'memory';
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** One request, its tier and its Cache-Status. */
async function ask({ url, cache }, path) {
  const before = cache.stats();
  const answer = await send(url + path);
  const cacheStatus = answer.headers['cache-status'] ?? '';
  return { ...answer, cacheStatus, tier: tierOf(cacheStatus, before, cache.stats()) };
}

/** Asks several times for what is cached; checks that each answer is a hit and the one that the database gave. */
async function measureHits(shop, path, expectedBody) {
  const answers = [];
  for (let i = 0; i < HITS_MEASURED; i++) answers.push(await ask(shop, path));
  for (const { status, body, tier } of answers) {
    assert.equal(status, 200, `${path} was answered with ${status}`);
    assert.notEqual(tier, 'database', `${path} was not answered from the cache`);
    assert.equal(body, expectedBody, `${path} was answered with something else from the cache than from the database`);
  }
  const { tier, cacheStatus } = answers.at(-1);
  return { tier, cacheStatus, ms: median(answers.map(({ ms }) => ms)) };
}

/** The table's rows: each endpoint from the database, from the first tier, and, if there is one, from Redis alone. */
async function measure(shop, coldShop) {
  const rows = [];
  for (const { path, isExpensive } of ENDPOINTS) {
    const first = await ask(shop, path);
    assert.equal(first.status, 200, `${path} was answered with ${first.status}: ${first.body}`);
    assert.equal(first.tier, 'database', `${path} was answered from ${first.tier} before it was cached`);

    for (const from of coldShop ? [shop, coldShop] : [shop]) {
      const hit = await measureHits(from, path, first.body);
      rows.push({ path, isExpensive, firstMs: first.ms, speedUp: first.ms / hit.ms, ...hit });
    }
  }
  return rows;
}

function printTable(rows) {
  const pathWidth = Math.max(...ENDPOINTS.map(({ path }) => path.length));
  const line = ([path, ...figures], last) =>
    console.log(`  ${path.padEnd(pathWidth)}  ${figures.map((text) => text.padStart(10)).join('')}   ${last}`);
  console.log();
  line(['endpoint', 'first ms', 'again ms', 'faster', 'tier'], 'Cache-Status');
  let previousPath;
  for (const { path, firstMs, ms, speedUp, tier, cacheStatus } of rows) {
    const isNew = path !== previousPath;
    const figures = [isNew ? firstMs.toFixed(1) : '', ms.toFixed(2), `${speedUp.toFixed(0)}x`, tier];
    line([isNew ? path : '', ...figures], cacheStatus);
    previousPath = path;
  }
  console.log(
    `\n  first: from the database; again: median of ${HITS_MEASURED} hits; all over HTTP, connection kept open`,
  );
  if (REDIS_URL) console.log('  tier redis: a second instance of the shop, whose cache has no memory tier');
}

/** Changes a price; every endpoint that shows it, of every instance, must show the new one at once. */
async function showInvalidation(shops) {
  const [{ url }] = shops;
  const { name, price, stock, categoryId } = await getJson(`${url}/api/products/42`);
  const listPath = `/api/products?search=${encodeURIComponent(name)}`;
  for (const shop of shops) await getJson(shop.url + listPath);

  const newPrice = Number((price + 10).toFixed(2));
  const json = { name, price: newPrice, stock, categoryId };
  const changed = await send(`${url}/api/products/42`, { method: 'PUT', json });
  assert.equal(changed.status, 200, `PUT was answered with ${changed.status}: ${changed.body}`);

  for (const shop of shops) {
    const product = await getJson(`${shop.url}/api/products/42`);
    const list = await getJson(shop.url + listPath);
    assert.equal(product.price, newPrice, 'the product shows the old price after PUT');
    assert.equal(list.items.find(({ id }) => id === 42).price, newPrice, 'the list shows the old price after PUT');
  }
  console.log(
    `\n  PUT /api/products/42: ${name} cost ${price}, now ${newPrice}; the next GETs of product and list show it`,
  );
}

/** Runs the queries once, so that the first answers are not slow because Postgres has just started. */
async function warmUp({ db, shops }) {
  const queries = createQueries(db);
  await queries.listProducts({ page: 1, limit: 20, sort: 'name', category: null, search: null });
  await queries.listCategories();
  await queries.dashboard(30);
  await queries.getProduct(42);
  for (const { url } of shops) for (let i = 0; i < 20; i++) await send(`${url}/health`);
}

/** Prints a line when Redis is lost or back, and when the answers begin to come from somewhere else. The function it returns ends that. */
function watch({ shop, isConnected }) {
  const onClose = ({ reason }) => {
    if (isConnected) console.log(`Redis is gone (${reason}); the shop goes on answering`);
    isConnected = false;
  };
  const onConnect = () => {
    if (!isConnected) console.log('Redis is back');
    isConnected = true;
  };
  shop.cache.on('redis:close', onClose).on('redis:connect', onConnect);

  // An entry whose time is over gives one answer from the database; only the second in a row is news.
  let reported = 'answered from memory';
  let previous;
  const beat = async () => {
    const { status, tier } = await ask(shop, '/api/categories').catch((error) => ({ status: error.message }));
    const state = status === 200 ? `answered from ${tier}` : `failed (${status})`;
    if (state === previous && state !== reported) {
      console.log(`GET /api/categories is now ${state}`);
      reported = state;
    }
    previous = state;
  };
  const timer = setInterval(beat, HEARTBEAT_MS);
  return () => {
    clearInterval(timer);
    shop.cache.off('redis:close', onClose).off('redis:connect', onConnect);
  };
}

async function main() {
  const isOnce = process.argv.includes('--once');
  console.log(`Starting the shop (Postgres in this process, ${REDIS_URL ? 'memory and Redis' : 'memory alone'}) ...`);
  const db = await openDatabase();
  const version = randomUUID();
  const shop = await openShop({ db, version, port: Number(process.env.PORT ?? 0) });
  const hasRedis = REDIS_URL !== undefined && (await redisIsThere(shop.cache));
  const coldShop = hasRedis ? await openShop({ db, version, memory: false }) : undefined;
  if (coldShop) await redisIsThere(coldShop.cache);
  const shops = coldShop ? [shop, coldShop] : [shop];

  let exitCode = 0;
  try {
    await warmUp({ db, shops });
    const rows = await measure(shop, coldShop);
    printTable(rows);
    await showInvalidation(shops);
    for (const { path, speedUp, tier } of rows.filter(({ isExpensive }) => isExpensive)) {
      const message = `a hit of ${path} from ${tier} is only ${speedUp.toFixed(1)} times faster`;
      assert.ok(speedUp > REQUIRED_SPEED_UP, message);
    }
  } catch (error) {
    console.error(`\n  FAILED: ${error.message.split('\n', 1)[0]}`);
    exitCode = 1;
  }
  console.log(`\n  GET /health: ${JSON.stringify(await getJson(`${shop.url}/health`))}`);
  if (coldShop) await coldShop.close();

  const shutDown = async () => {
    agent.destroy();
    await shop.close();
    await db.close();
  };
  if (isOnce) {
    await shutDown();
    process.exitCode = exitCode;
    return;
  }
  const stopWatching = watch({ shop, isConnected: hasRedis });
  console.log(`\nThe shop is at ${shop.url}. Try: curl -i ${shop.url}/api/dashboard    Ctrl-C ends it.`);
  onSignal(async () => {
    stopWatching();
    await shutDown();
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
