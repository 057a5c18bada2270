import { createCache } from 'tiercel';
const cache = createCache({ redis: false });
const value = await cache.getOrSet('answer', async () => ({ from: 'the loader' }));
console.log(value.from, await cache.has('answer'), await cache.close());
