// The types of the HTTP cache.
import { createServer, type IncomingMessage } from 'node:http';
import express, { type Request } from 'express';
import { expectError, expectType } from 'tsd';
import { createCache } from '../..';
import {
  cacheResponse,
  type CachedListener,
  type CacheLogEvent,
  type CacheResponseMiddleware,
  type CacheResponseStats,
} from '../../types/express';

const cache = createCache({ redis: false });
const app = express();
const caching = cacheResponse({
  cache,
  profile: 'standards',
  ttl: '30s',
  maxBodyBytes: '64kb',
  query: { ignore: ['utm_*'] },
  vary: ['Accept-Language'],
  identity: (req) => req.headers['x-user']?.toString(),
  keyHeaders: [],
  tags: (req) => [`path:${req.url}`],
  staleWhileRevalidate: 5,
  collapse: false,
  compress: ['br', 'zstd'],
  log: (event) => expectType<CacheLogEvent>(event),
  route: (req) => {
    expectType<IncomingMessage>(req);
    return 'all';
  },
});
expectType<CacheResponseMiddleware>(caching);
app.use(caching);
// What Express adds to a request is there when its type is said; in front of the app it is not.
const byHost = cacheResponse({ cache, tags: (req: Request) => [req.hostname], route: (req) => req.url ?? '' });
expectType<CacheResponseMiddleware<Request>>(byHost);
app.use('/p', byHost);
expectError(cacheResponse({ tags: (req) => [req.hostname] }));
expectError(cacheResponse.front(app, { tags: (req: Request) => [req.hostname] }));
expectError(cacheResponse({ tags: (req: number) => [`${req}`] }));
app.get('/p/:id', caching, (req, res) => {
  res.cacheTags?.('product', [`product:${req.params.id}`])?.json({});
});

const front = cacheResponse.front(app, {
  cache,
  tags: ['all'],
  log: true,
  query: 'sorted',
  compress: true,
  collapse: '2s',
});
expectType<CachedListener>(front);
createServer(front);

expectType<Promise<void>>(front.purge({ url: ['https://shop.example/p'], soft: true }));
expectType<Promise<void>>(caching.purge({ tag: 'product:7' }));
expectType<CacheResponseStats>(caching.stats());
expectType<number>(front.stats().routes.all.staleIfError);
expectType<number>(front.stats().refused.private);

expectError(cacheResponse({ profile: 'fast' }));
expectError(cacheResponse({ vary: 'Cookie' }));
expectError(cacheResponse({ query: { allow: 'a' } }));
expectError(cacheResponse({ compress: ['deflate'] }));
expectError(cacheResponse({ identity: () => 7 }));
expectError(cacheResponse({ tll: 60 }));
expectError(cacheResponse.front({}));
expectError(front.purge('https://shop.example/p'));
expectError(front.purge({ tags: ['a'] }));
