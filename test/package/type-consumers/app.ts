// What an application writes, with every entry of the package. Compiled only; types.test.js says with which settings.
import { createServer } from 'node:http';
import { cacheKey, CacheError, cacheResponse, createCache, createRedis, RedisError, type Cache } from 'tiercel';
import { cacheResponse as fromExpress, type CacheResponseOptions } from 'tiercel/express';
import { createKeyv, KeyvTiercel } from 'tiercel/keyv';
import { authMiddleware, createSessions, SessionStore, type Session } from 'tiercel/session';

interface User {
  id: number;
  name: string;
}

const redis = createRedis('redis://127.0.0.1:6379');
const cache: Cache = createCache({ redis, ttl: '5m', memory: { maxBytes: '16mb' } });

// What is not set in the environment is as left out.
const { REDIS_URL: url, REDIS_PASSWORD: password, PREFIX: prefix, COOKIE: cookie } = process.env;
export const fromEnvironment = [
  createCache({ redis: url, namespace: prefix, memory: { maxEntries: undefined } }),
  createRedis({ url, password }),
  new SessionStore({ redis: url, prefix }),
  createSessions({ redis: url, prefix }),
  authMiddleware({ sessions: createSessions(), cookie }),
  createKeyv({ namespace: prefix }),
  cacheResponse({ name: prefix, ttl: undefined }),
];

export async function values(): Promise<string> {
  await using closing = createCache({ redis: false });
  await closing.set('a', 1, { ttl: 30, tags: ['t'] });
  const user = await cache.getOrSet(cacheKey('user', 1), async ({ signal }): Promise<User> => {
    signal.throwIfAborted();
    return { id: 1, name: 'Ada' };
  });
  const [first] = await cache.getMany<User>(['user:1']);
  const text: string | null = await redis.get('key');
  try {
    await cache.invalidateTag('users');
  } catch (error) {
    if (error instanceof RedisError) return error.command ?? '';
    if (error instanceof CacheError) return error.code;
  }
  return user.name + (first?.name ?? '') + (text ?? '');
}

// memoize keeps optional, default, rest and type parameters.
const optional = cache.memoize((id: number, name?: string) => `${id}${name}`, { key: (id, name) => `${id}:${name}` });
const defaulted = cache.memoize(async (id: number, limit = 10, ...rest: string[]) => id * limit + rest.length);
const generic = cache.memoize(async function same<T>(x: T) {
  return x;
});
export const memoized: [Promise<string>, Promise<number>, Promise<Date>] = [
  optional(1),
  defaulted(1),
  generic(new Date()),
];
export const forgotten: Promise<boolean> = optional.invalidate(1);

const options: CacheResponseOptions = { cache, ttl: '30s' };
export const server = createServer(cacheResponse.front((_req, res) => void res.end('ok'), options));
export const middleware = fromExpress(options);

const sessions = createSessions<{ cart?: string[] }>({ cache, prefix: 'shop:' });
export const auth = authMiddleware({ sessions, load: async ({ userId }) => ({ id: Number(userId), name: 'Ada' }) });
export const created: Promise<Session<{ cart?: string[] }>> = sessions.create({ cart: [] }, { userId: 1 });
export const store = new SessionStore({ cache });

export const keyv = createKeyv({ cache, ttl: 1000 });
export const adapter = new KeyvTiercel({ cache, namespace: 'users' });
