// The public types, as an editor and a strict compiler see them.
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import express = require('express');
import {
  cacheKey,
  cacheResponse,
  CacheError,
  CacheUnavailableError,
  createCache,
  createRedis,
  hashArgs,
  RedisError,
  type Cache,
  type CacheHealth,
  type CacheOptions,
  type CacheStats,
  type Duration,
  type Memoized,
  type RedisClient,
  type Size,
} from '../..';
import { cacheResponse as fromExpress } from '../../types/express';

interface Product {
  id: number;
  name: string;
}
declare const loadProduct: (id: number) => Promise<Product | null>;

// Durations and sizes
expectAssignable<Duration>(30);
expectAssignable<Duration>('500ms');
expectAssignable<Duration>('1.5h');
expectNotAssignable<Duration>('10 parsecs');
expectAssignable<Size>('64mb');
expectNotAssignable<Size>('64 apples');

// createCache
const cache = createCache();
expectType<Cache>(cache);
expectAssignable<CacheOptions>({ redis: 'redis://127.0.0.1:6379', memory: { maxBytes: '64mb' }, ttl: '5m' });
expectAssignable<CacheOptions>({ redis: false, memory: {}, namespace: 'shop', version: 2, maxTtl: 3600 });
expectAssignable<CacheOptions>({ redis: createRedis(), memory: false, logger: console });
expectError(createCache({ ttl: true }));
expectError(createCache({ memmory: {} }));
expectError(createCache({ codec: 'xml' }));

// Reads and writes
expectType<Promise<unknown>>(cache.get('key'));
expectType<Promise<Product | undefined>>(cache.get<Product>('key'));
expectType<Promise<boolean>>(cache.set('key', { any: 'value' }, '30s'));
expectType<Promise<boolean>>(cache.set('key', null, { ttl: 30 }));
expectType<Promise<boolean>>(cache.delete('key'));
expectType<Promise<boolean>>(cache.has('key'));
expectType<Promise<number | undefined>>(cache.ttl('key'));
expectType<Promise<Array<Product | undefined>>>(cache.getMany<Product>(['a', 'b']));
expectType<Promise<boolean>>(cache.setMany({ a: 1, b: null }));
expectType<Promise<boolean>>(cache.setMany(new Map([['a', 1]]), '1m'));
expectError(cache.get(42));
expectError(cache.set('key'));

// getOrSet and memoize: the loader decides the type
expectType<Promise<Product | null>>(cache.getOrSet('product:1', () => loadProduct(1), '5m'));
expectType<Promise<number>>(cache.getOrSet('answer', () => 42));
expectType<Promise<Product | null>>(
  cache.getOrSet('product:1', () => loadProduct(1), { ttl: (product) => (product === null ? '30s' : '10m') }),
);
void cache.getOrSet('key', (context) => {
  expectType<string>(context.key);
  context.setTtl('10s');
  context.skip();
  return 1;
});
expectError(cache.getOrSet('key', 42));
expectType<Promise<number>>(cache.memoize('report', () => 42, '1m'));

const product = cache.memoize(loadProduct, { key: 'product', ttl: '5m' });
expectType<Memoized<[id: number], Product | null>>(product);
expectType<Promise<Product | null>>(product(1));
expectType<string>(product.keyFor(1));
expectType<Promise<boolean>>(product.invalidate(1));
expectError(product('1'));
expectType<Promise<number>>(cache.memoize((a: number, b: number) => a + b, { key: (a, b) => `sum:${a}:${b}` })(1, 2));

// What it says of itself
expectType<CacheStats>(cache.stats());
expectType<Promise<CacheHealth>>(cache.health());
expectType<Promise<void>>(cache.close());
cache.on('cache:hit', (event) => {
  expectType<'memory' | 'redis'>(event.tier);
});
cache.on('cache:error', (error) => {
  expectType<Error>(error);
});

// The client
const redis = createRedis('redis://127.0.0.1:6379/2');
expectType<RedisClient>(redis);
expectType<Promise<string | null>>(redis.get('key'));
expectType<Promise<string | null>>(redis.set('key', Buffer.from('value'), 'PX', 1000));
expectType<Promise<Array<string | null>>>(redis.mget('a', 'b'));
expectType<'connecting' | 'ready' | 'reconnecting' | 'closed'>(redis.status);
expectType<RedisClient>(redis.unref());
expectError(redis.get({}));
expectError(createRedis({ port: '6379' }));

// Errors
declare const error: unknown;
if (error instanceof CacheUnavailableError) expectType<'CACHE_UNAVAILABLE'>(error.code);
if (error instanceof RedisError) expectType<string | undefined>(error.command);
expectAssignable<CacheError>(new RedisError());

// Keys
expectType<string>(cacheKey('user', 42, true, 7n));
expectError(cacheKey({ id: 1 }));
expectType<string>(hashArgs([1, { a: 2 }]));

// Express
const app = express();
app.use(cacheResponse({ cache, ttl: '30s', maxBodyBytes: '2mb' }));
app.use(fromExpress());
app.get('/', cacheResponse({ key: (req) => `page:${req.url}` }), (_req, res) => void res.send('ok'));
cacheResponse.front(app, { cache, name: 'edge' });
expectError(cacheResponse({ ttl: {} }));
