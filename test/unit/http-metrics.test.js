'use strict';
const { HttpMetrics } = require('../../lib/http/flow/metrics');

const req = /** @type {any} */ ({ method: 'GET', url: '/a?b', originalUrl: '/mount/a?b' });
const ok = { status: 200 };

test('every outcome has its counter', () => {
  const metrics = new HttpMetrics({});
  const outcomes = ['hit', 'stale-while-revalidate', 'stale-if-error', 'revalidated', 'collapsed', 'miss', 'bypass'];
  outcomes.forEach((outcome, at) => {
    for (let i = 0; i <= at; i++) metrics.count(req, outcome, ok);
  });
  expect(metrics.snapshot()).toEqual({
    hits: 1,
    staleWhileRevalidate: 2,
    staleIfError: 3,
    revalidated: 4,
    collapsed: 5,
    misses: 6,
    bypasses: 7,
    refused: {},
    routes: {},
  });
});

test('reasons are counted, and a snapshot does not change afterwards', () => {
  const metrics = new HttpMetrics({});
  metrics.count(req, 'miss', { status: 200, reason: 'private' });
  const before = metrics.snapshot();
  metrics.count(req, 'miss', { status: 200, reason: 'private' });
  expect([before.refused, before.misses]).toEqual([{ private: 1 }, 1]);
  expect(metrics.snapshot().refused).toEqual({ private: 2 });
});

test('routes are counted apart, up to a bound, behind which they are others', () => {
  let route = 'list';
  const metrics = new HttpMetrics({ route: () => route });
  metrics.count(req, 'hit', ok);
  for (let id = 0; id < 3000; id++) {
    route = `/product/${id}`;
    metrics.count(req, 'miss', ok);
  }
  const { routes, misses } = metrics.snapshot();
  expect(Object.keys(routes).length).toBeLessThanOrEqual(1001);
  expect(routes.list.hits).toBe(1);
  expect(routes.other.misses).toBeGreaterThan(1900);
  expect(Object.values(routes).reduce((sum, { misses: count }) => sum + count, 0)).toBe(misses);
});

test('a route function that throws, or names a property of objects, does no harm', () => {
  let fails = true;
  const metrics = new HttpMetrics({
    route: () => {
      if (fails) throw new Error('no');
      return '__proto__';
    },
  });
  metrics.count(req, 'hit', ok);
  fails = false;
  metrics.count(req, 'hit', ok);
  const { routes } = metrics.snapshot();
  expect(routes.other.hits).toBe(1);
  expect(Object.entries(routes)).toHaveLength(2);
});

test('the log gets one event for each answer, and its errors are its own', () => {
  /** @type {any[]} */
  const events = [];
  const metrics = new HttpMetrics({
    log: (event) => {
      events.push(event);
      throw new Error('broken log');
    },
  });
  metrics.count(req, 'hit', { status: 304, age: 2900, started: performance.now() - 5 });
  metrics.count(req, 'miss', { status: 200, reason: 'private' });
  expect(events[0]).toMatchObject({
    method: 'GET',
    url: '/mount/a?b',
    status: 304,
    outcome: 'hit',
    detail: '',
    age: 2,
  });
  expect(events[0].ms).toBeGreaterThanOrEqual(5);
  expect(events[1]).toMatchObject({ outcome: 'miss', detail: 'private', age: 0, ms: 0 });
});
