import { createCache, type Cache } from 'tiercel';
const cache: Cache = createCache({ redis: false });
const value: { from: string } = await cache.getOrSet('answer', async () => ({ from: 'the loader' }), { ttl: '5m' });
console.log(value.from, await cache.has('answer'), await cache.close());
