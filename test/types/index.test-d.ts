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
  type LoaderContext,
  type Memoized,
  type MemoryStats,
  type InspectedEntry,
  type Inspection,
  type ReadResult,
  type RefreshAhead,
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
expectAssignable<CacheOptions>({ redis: new URL('redis://localhost') });
expectAssignable<CacheOptions>({ memory: { maxEntries: 1000, maxEntryBytes: '1mb', maxStaleness: '500ms' } });
expectAssignable<CacheOptions>({ jitter: 0.1, staleWhileRevalidate: '1m', staleIfError: '1h', refreshAhead: 0.8 });
expectAssignable<CacheOptions>({ timeout: '5s', softTimeout: 0.2, errorBackoff: 0, leaseTimeout: '10s' });
expectAssignable<CacheOptions>({ codec: 'msgpack', share: 'frozen', commandTimeout: '200ms' });
expectAssignable<CacheOptions>({ codec: { name: 'mine', encode: () => 'text', decode: (data) => data.toString() } });
expectAssignable<RefreshAhead>('10s');
expectAssignable<RefreshAhead>('xfetch');
expectAssignable<RefreshAhead>(false);
expectNotAssignable<RefreshAhead>(true);
expectNotAssignable<RefreshAhead>('late');
expectError(createCache({ share: 'clone' }));
expectError(createCache({ memory: { maxAge: 5 } }));
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
expectType<Promise<boolean>>(cache.set('key', 1, { ttl: '1m', jitter: 0.1, tags: ['a'], staleIfError: '1h' }));
expectType<unknown>(cache.peek('key'));
expectType<Product | undefined>(cache.peek<Product>('key'));
// A loader that takes its context keeps the type of what it returns, and so do functions of the value beside it.
void (async () => {
  const loaded = await cache.getOrSet('k', async ({ signal }) => ({ name: 'x', aborted: signal.aborted }), '5m');
  expectType<{ name: string; aborted: boolean }>(loaded);
  const tagged = await cache.getOrSet('k', ({ key }) => ({ key }), { ttl: (u) => u.key.length, tags: (u) => [u.key] });
  expectType<{ key: string }>(tagged);
  expectType<string>(await cache.memoize('k', ({ key }) => key));
  expectType<Array<string | undefined>>(await cache.getOrSetMany(['a'], (keys) => keys));
  await using closing = createCache();
  expectType<Cache>(closing);
})();

// memoize keeps the parameters of every form.
declare function optional(id: number, deep?: boolean): Promise<string>;
declare function defaulted(id: number, by: 'name' | 'date', ...tags: string[]): Promise<string>;
declare function generic<K extends string>(kind: K): Promise<{ kind: K }>;
declare function immediate(id: number): number;
expectType<Promise<string>>(cache.memoize(optional, { key: (id) => `o:${id}` })(1));
expectType<Promise<string>>(cache.memoize(optional)(1, true));
expectType<Promise<string>>(cache.memoize(defaulted, { ttl: '5m' })(1, 'name', 'a', 'b'));
expectType<Promise<{ kind: 'deck' }>>(cache.memoize(generic, { key: 'g' })('deck'));
expectType<Promise<number>>(cache.memoize(immediate)(1));
expectError(cache.memoize(optional)('1'));
expectError(cache.memoize(defaulted)(1, 'size'));
expectType<string>(cache.memoize(optional).keyFor(1, true));
expectType<Promise<boolean>>(cache.memoize(optional).invalidate(1));

// So does one with a key that is a function, of as many parameters or fewer.
expectType<Promise<string>>(cache.memoize(optional, { key: (id, deep) => `${id}:${deep}` })(1));
const notAsync = (id: number, name?: string): string => `${id} ${name}`;
expectType<Promise<string>>(cache.memoize(notAsync, { key: (id, name) => `${id}:${name}` })(1));
expectType<Promise<string>>(cache.memoize(notAsync, { key: () => 'all' })(1, 'a'));
const withDefault = async (id: number, limit = 10) => id * limit;
expectType<Promise<number>>(cache.memoize(withDefault)(1));
expectType<Promise<string>>(cache.memoize(async <T>(x: T) => x, { key: 'same' })('text'));
expectError(cache.memoize(withDefault)(1, 'many'));

// What the function has beside its signature is not there.
const versioned = Object.assign(async (id: number) => `${id}`, { version: 'a' as const, clear: () => {} });
const again = cache.memoize(versioned);
expectType<Promise<string>>(again(1));
expectType<string>(again.keyFor(1));
expectError(again.version);
expectError(again.clear());
expectError(cache.memoize(notAsync).version);
declare function query(id: number): Promise<string> & { cancel(): void };
expectType<Promise<string>>(cache.memoize(query)(1));
expectError(cache.memoize(query)(1).cancel());
// A function that is memoized already has the methods of the one around it.
expectType<Promise<string>>(cache.memoize(cache.memoize(optional), { key: 'twice' })(1));
declare function overloaded(id: number): Promise<number>;
declare function overloaded(name: string): Promise<string>;
expectType<Promise<number>>(cache.memoize(overloaded)(1));
expectType<Promise<string>>(cache.memoize(overloaded)('a'));

expectType<Promise<ReadResult<Product>>>(cache.read<Product>('key'));
expectType<Promise<Inspection>>(cache.inspect('key'));
void cache.inspect('key').then(({ redis }) => expectType<InspectedEntry | undefined>(redis));
void cache.read<Product>('key').then((result) => {
  if (result.status === 'miss') {
    expectType<undefined>(result.value);
  } else {
    expectType<Product>(result.value);
    expectType<'memory' | 'redis'>(result.tier);
    expectType<number>(result.age);
    expectType<string[]>(result.tags);
  }
});
expectError(cache.get(42));
expectError(cache.set('key'));
expectError(cache.set('key', 1, { tags: 'a' }));
expectError(cache.set('key', 1, { cacheIf: () => true }));

// Invalidation
expectType<Promise<boolean>>(cache.delete('key', { soft: true }));
expectType<Promise<boolean>>(cache.invalidateKey('key'));
expectType<Promise<number>>(cache.deleteMany(['a', 'b']));
expectType<Promise<void>>(cache.invalidateTag('tag'));
expectType<Promise<void>>(cache.invalidateTags(['a', 'b']));
expectType<Promise<number>>(cache.invalidatePattern('user:*'));
expectType<Promise<void>>(cache.invalidateRelated(['key', 'user:*', { tag: 'users' }]));
expectType<Promise<void>>(cache.clear());
expectError(cache.invalidateTag(['a']));
expectError(cache.invalidateRelated([{ key: 'a' }]));
expectError(cache.delete('key', { hard: true }));

// Namespaces and snapshots
expectType<string>(cache.name);
expectType<Cache>(cache.namespace('users'));
expectType<Promise<Buffer>>(cache.dump());
expectType<Promise<number>>(cache.load(new Uint8Array()));
expectType<MemoryStats | null>(cache.memory.stats());

// getOrSet and memoize: the loader decides the type
expectType<Promise<Product | null>>(cache.getOrSet('product:1', () => loadProduct(1), '5m'));
expectType<Promise<number>>(cache.getOrSet('answer', () => 42));
expectType<Promise<Product | null>>(
  cache.getOrSet('product:1', () => loadProduct(1), { ttl: (product) => (product === null ? '30s' : '10m') }),
);
void cache.getOrSet('key', (context) => {
  expectType<string>(context.key);
  expectType<AbortSignal>(context.signal);
  context.setTtl('10s');
  context.setTags(['a']);
  context.skip();
  return 1;
});
void cache.getOrSet<Product>('key', (context) => {
  expectType<LoaderContext<any>>(context);
  const previous: Product | undefined = context.previous;
  void previous;
  return { id: 1, name: '' };
});
expectType<Promise<Product | null>>(
  cache.getOrSet('key', () => loadProduct(1), {
    jitter: 0.1,
    refreshAhead: 'xfetch',
    staleWhileRevalidate: '1m',
    timeout: '5s',
    softTimeout: '100ms',
    errorBackoff: 0,
    signal: AbortSignal.timeout(1000),
    cacheIf: (found) => found !== null,
    tags: (found, { key }) => (found === null ? [key] : [`product:${found.id}`]),
  }),
);
expectError(cache.getOrSet('key', () => 1, { signal: true }));
expectError(cache.getOrSet('key', () => 1, { tags: 'a' }));

// Many keys, one loader
const loadMany = async (keys: string[]) => keys.map((name, id): Product => ({ id, name }));
expectType<Promise<Array<Product | undefined>>>(cache.getOrSetMany(['a', 'b'], loadMany, { tags: ['products'] }));
expectType<Promise<Array<number | undefined>>>(cache.getOrSetMany(['a'], (keys) => new Map([[keys[0] ?? '', 1]])));
expectType<Promise<Array<number | undefined>>>(cache.getOrSetMany<number>(['a'], () => ({ a: 1 }), '1m'));
void cache.getOrSetMany(['a'], (keys, context) => {
  expectType<string[]>(keys);
  expectType<AbortSignal>(context.signal);
  return [1];
});
expectError(cache.getOrSetMany('a', loadMany));
expectError(cache.getOrSetMany(['a'], () => 5));
expectError(cache.getOrSet('key', 42));
expectType<Promise<number>>(cache.memoize('report', () => 42, '1m'));

const product = cache.memoize(loadProduct, { key: 'product', ttl: '5m' });
expectType<Memoized<[id: number], Product | null>>(product);
expectType<Promise<Product | null>>(product(1));
expectType<string>(product.keyFor(1));
expectType<Promise<boolean>>(product.invalidate(1));
expectError(product('1'));
void cache.memoize(loadProduct, { tags: (found) => (found === null ? [] : [`product:${found.id}`]), jitter: 0.1 });
expectType<Promise<number>>(cache.memoize('report', () => 42, { staleWhileRevalidate: '1m' }));
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
cache.on('cache:refused', ({ key, reason }) => {
  expectType<string>(key);
  expectType<'overtaken' | 'tag' | 'unavailable'>(reason);
});
cache.on('cache:pending', ({ count }) => expectType<number>(count));
cache.on('cache:replayed', ({ count }) => expectType<number>(count));
cache.on('cache:invalidate', (event) => {
  if ('pattern' in event) expectType<number>(event.count);
});
expectType<number>(cache.stats().pendingInvalidations);

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
expectAssignable<CacheError>(new RedisError('X', 'x'));

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
