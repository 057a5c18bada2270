'use strict';
// The example shop as a whole: real Express, real Postgres, real HTTP, and a cache without Redis.

const { createShop } = require('../../examples/shop/app');
const { listen } = require('../../examples/shop/server');
const { memoryCache } = require('../helpers/memory-cache');
const { openShopDatabase } = require('../helpers/shop-database');
const { until } = require('../helpers/until');

let db;
let cache;
let server;
const loggedErrors = [];
const logger = { warn: () => {}, error: (...details) => loggedErrors.push(details) };

beforeAll(async () => {
  db = await openShopDatabase();
}, 30_000);

beforeEach(async () => {
  loggedErrors.length = 0;
  cache = memoryCache();
  server = await listen(createShop({ db, cache, logger }));
});

afterEach(async () => {
  await server.close();
  await cache.close();
});

afterAll(async () => {
  await db?.close();
});

async function request(path, options) {
  const response = await fetch(server.url + path, {
    ...options,
    headers: { connection: 'close', ...options?.headers },
  });
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  return {
    status: response.status,
    body,
    text,
    cacheStatus: response.headers.get('cache-status'),
    headers: response.headers,
  };
}

const put = (path, body) =>
  request(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function changePrice(id, price) {
  const { name, stock, categoryId } = (await request(`/api/products/${id}`)).body;
  return put(`/api/products/${id}`, { name, price, stock, categoryId });
}

const CACHED_PATHS = ['/api/products', '/api/products/1', '/api/categories', '/api/dashboard'];

describe('answers', () => {
  test('a list of products has a page of them and the total', async () => {
    const { status, body } = await request('/api/products?page=2&limit=5&sort=price');
    expect(status).toBe(200);
    expect(body).toMatchObject({ page: 2, limit: 5, total: 10_000 });
    expect(body.items).toHaveLength(5);
    const prices = body.items.map(({ price }) => price);
    expect(prices).toEqual(prices.toSorted((a, b) => a - b));
    expect(body.items[0]).toEqual({
      id: expect.any(Number),
      name: expect.any(String),
      price: expect.any(Number),
      stock: expect.any(Number),
      category: expect.any(String),
      rating: expect.any(Number),
      ratings: expect.any(Number),
      sold: expect.any(Number),
    });
  });

  test('pages do not overlap, and one beyond the last is empty', async () => {
    const ids = [];
    for (const page of [1, 2, 3]) {
      const { body } = await request(`/api/products?limit=50&sort=-sold&page=${page}`);
      ids.push(...body.items.map(({ id }) => id));
    }
    expect(new Set(ids).size).toBe(150);
    expect((await request('/api/products?page=10000')).body).toMatchObject({ total: 10_000, items: [] });
  });

  test('a list can be filtered and searched, whatever the characters', async () => {
    const { body } = await request('/api/products?category=3&search=LAMP&limit=100');
    expect(body.items.length).toBe(body.total);
    expect(body.total).toBeGreaterThan(0);
    const category = (await request('/api/categories')).body.find(({ id }) => id === 3);
    for (const item of body.items) {
      expect(item.name.toLowerCase()).toContain('lamp');
      expect(item.category).toBe(category.name);
    }
    for (const search of ["'; DROP TABLE products; --", '100%', '_', 'a:b', 'ö']) {
      const { status, body: found } = await request(`/api/products?search=${encodeURIComponent(search)}`);
      expect({ search, status, total: found.total }).toEqual({ search, status: 200, total: 0 });
    }
  });

  test('a product comes with figures of its orders', async () => {
    const { status, body } = await request('/api/products/42');
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 42, name: expect.any(String), categoryId: expect.any(Number) });
    expect(body.stats.sold).toBeGreaterThan(0);
    expect(body.stats.revenue).toBeCloseTo(body.stats.sold * body.price, 2);
  });

  test('the categories hold every product once', async () => {
    const { body } = await request('/api/categories');
    expect(body).toHaveLength(50);
    expect(body.reduce((sum, { products }) => sum + products, 0)).toBe(10_000);
  });

  test('the dashboard adds up', async () => {
    const { status, body } = await request('/api/dashboard?days=7');
    expect(status).toBe(200);
    const sum = (rows) => rows.reduce((total, { revenue }) => total + revenue, 0);
    expect(body.revenueByDay).toHaveLength(7);
    expect(sum(body.revenueByDay)).toBeCloseTo(body.totals.revenue, 2);
    expect(sum(body.revenueByCategory)).toBeCloseTo(body.totals.revenue, 2);
    expect(body.topProducts).toHaveLength(10);
    expect(body.bestCustomers).toHaveLength(10);
  });

  test('/health is 200 and says that there is no Redis', async () => {
    const { status, body, headers } = await request('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', database: 'ok', redis: 'none' });
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('invalid input', () => {
  test.each([
    ['/api/products?page=0', 'page'],
    ['/api/products?page=1.5', 'page'],
    ['/api/products?page=1&page=2', 'page'],
    ['/api/products?limit=101', 'limit'],
    ['/api/products?limit=', 'limit'],
    ['/api/products?sort=weight', 'sort'],
    ['/api/products?category=lamps', 'category'],
    ['/api/products?search=%00', 'search'],
    ['/api/products?search=%20', 'search'],
    ['/api/products/abc', 'id'],
    ['/api/products/0', 'id'],
    ['/api/products/99999999999', 'id'],
    ['/api/products/%E0%A4%A', 'decode'],
    ['/api/dashboard?days=8', 'days'],
  ])('GET %s is a 400 that names %s', async (path, name) => {
    const { status, body, headers } = await request(path);
    expect(status).toBe(400);
    expect(body).toEqual({ error: { status: 400, message: expect.stringContaining(name) } });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  const VALID = { name: 'Lamp', price: 1.5, stock: 1, categoryId: 1 };
  test.each([
    ['no JSON', '{"name":', 'JSON'],
    ['an array', [VALID], 'object'],
    ['null', 'null', ''],
    ['a missing field', { ...VALID, stock: undefined }, 'stock'],
    ['an unknown field', { ...VALID, colour: 'red' }, 'colour'],
    ['an empty name', { ...VALID, name: ' ' }, 'name'],
    ['a name with a NUL', { ...VALID, name: 'a\0b' }, 'name'],
    ['a price below zero', { ...VALID, price: -1 }, 'price'],
    ['a price as a text', { ...VALID, price: '1.50' }, 'price'],
    ['a price of three decimals', { ...VALID, price: 1.005 }, 'price'],
    ['a stock that is no integer', { ...VALID, stock: 0.5 }, 'stock'],
    ['an unknown category', { ...VALID, categoryId: 999 }, 'category'],
  ])('PUT with %s is a 400', async (_, sent, name) => {
    const before = (await request('/api/products/1')).body;
    const { status, body } = await put('/api/products/1', sent);
    expect(status).toBe(400);
    expect(body).toEqual({ error: { status: 400, message: expect.stringContaining(name) } });
    await cache.delete('product:1');
    expect((await request('/api/products/1')).body).toEqual(before);
  });

  test('what does not exist is a 404, and stays one', async () => {
    for (let i = 0; i < 2; i++) {
      for (const path of ['/api/products/10001', '/api/nothing', '/']) {
        const { status, body } = await request(path);
        expect({ path, status }).toEqual({ path, status: 404 });
        expect(body.error.message).toMatch(/^There is no /);
      }
    }
    expect((await put('/api/products/10001', VALID)).status).toBe(404);
    expect((await request('/api/products/1', { method: 'DELETE' })).status).toBe(404);
  });

  test('a failing database is a 500 without details, is logged, and is not cached', async () => {
    const query = jest.spyOn(db, 'query').mockRejectedValue(new Error('secret detail'));
    try {
      for (const path of CACHED_PATHS) {
        const { status, text } = await request(path);
        expect({ path, status }).toEqual({ path, status: 500 });
        expect(text).not.toContain('secret');
      }
      expect((await request('/health')).body).toMatchObject({ status: 'degraded', database: 'unavailable' });
    } finally {
      query.mockRestore();
    }
    expect(loggedErrors).toHaveLength(CACHED_PATHS.length);
    // The same error is the answer for as long as errorBackoff says, a second; then the database is asked again.
    for (const path of CACHED_PATHS) await until(path, async () => (await request(path)).status === 200);
  });
});

describe('the cache', () => {
  test.each(CACHED_PATHS)('the second answer of %s is the first one, from the cache', async (path) => {
    const first = await request(path);
    const second = await request(path);
    expect(first.cacheStatus).toMatch(/^shop; fwd/);
    expect(second.cacheStatus).toMatch(/^shop; hit/);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
  });

  test('queries that mean the same share an entry, others do not', async () => {
    await request('/api/products');
    expect((await request('/api/products?sort=name&limit=20&page=1')).cacheStatus).toMatch(/hit/);
    expect((await request('/api/products?utm_source=mail')).cacheStatus).toMatch(/hit/);
    expect((await request('/api/products?page=2')).cacheStatus).not.toMatch(/hit/);
    expect((await request('/api/products?search=1')).cacheStatus).not.toMatch(/hit/);
    expect((await request('/api/products?category=1')).cacheStatus).not.toMatch(/hit/);
  });

  test('HEAD has no body and leaves GET its own', async () => {
    expect((await request('/api/categories', { method: 'HEAD' })).text).toBe('');
    expect((await request('/api/categories')).body).toHaveLength(50);
    const head = await request('/api/categories', { method: 'HEAD' });
    expect(head.text).toBe('');
    expect(head.cacheStatus).toMatch(/hit/);
  });

  test('20 requests at once load the dashboard once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => request('/api/dashboard?days=90')));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(cache.stats().loads).toBe(1);
  });

  test('a hit of the dashboard is at least 10 times faster', async () => {
    const timed = async () => {
      const startedAt = performance.now();
      await request('/api/dashboard?days=365');
      return performance.now() - startedAt;
    };
    const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
    await request('/health');
    const misses = [];
    for (let i = 0; i < 3; i++) {
      await cache.delete('dashboard:365');
      misses.push(await timed());
    }
    const hits = [];
    for (let i = 0; i < 21; i++) hits.push(await timed());
    expect(median(misses) / median(hits)).toBeGreaterThanOrEqual(10);
  });
});

describe('after PUT', () => {
  test('the product, its lists and the categories are the new ones at once', async () => {
    const { name } = (await request('/api/products/7')).body;
    const listPath = `/api/products?search=${encodeURIComponent(name)}`;
    for (const price of [12.34, 56.78, 0]) {
      await request(listPath);
      const categoriesBefore = await request('/api/categories');
      const changed = await changePrice(7, price);
      expect(changed).toMatchObject({ status: 200, body: { id: 7, name, price } });

      expect((await request('/api/products/7')).body.price).toBe(price);
      expect((await request(listPath)).body.items.find(({ id }) => id === 7).price).toBe(price);
      expect((await request('/api/categories')).text).not.toBe(categoriesBefore.text);
    }
  });

  test('every dashboard shows the new name', async () => {
    const { body: before } = await request('/api/dashboard?days=30');
    const { id } = before.topProducts[0];
    const { price, stock, categoryId } = (await request(`/api/products/${id}`)).body;
    await request('/api/dashboard?days=90');
    const { status } = await put(`/api/products/${id}`, { name: 'Renamed', price, stock, categoryId });
    expect(status).toBe(200);
    expect((await request('/api/dashboard?days=30')).body.topProducts[0]).toMatchObject({ id, name: 'Renamed' });
    const { body: after } = await request('/api/dashboard?days=90');
    expect(after.topProducts.find((product) => product.id === id)?.name ?? 'Renamed').toBe('Renamed');
  });

  test('other products stay cached', async () => {
    await request('/api/products/8');
    await changePrice(9, 3.21);
    expect((await request('/api/products/8')).cacheStatus).toMatch(/hit/);
  });

  test('a read that is under way during the change does not bring the old price back', async () => {
    for (let price = 1; price <= 10; price++) {
      await cache.delete('product:11');
      const [, changed] = await Promise.all([
        request('/api/products/11'),
        changePrice(11, price),
        request('/api/products/11'),
      ]);
      expect(changed.status).toBe(200);
      expect((await request('/api/products/11')).body.price).toBe(price);
    }
  });
});
