'use strict';
// cache-manager 7 (and so NestJS's CacheModule) on Tiercel: memory first, Redis second, and what one process changes
// the others see. Run it: node examples/cache-manager.js [redis://127.0.0.1:6379]
//
// In NestJS the same store goes into the module:
//
//   CacheModule.registerAsync({ isGlobal: true, useFactory: () => ({ stores: [createKeyv(process.env.REDIS_URL)] }) })

const cacheManager = require('cache-manager');
const { createCache } = require('tiercel');
const { createKeyv } = require('tiercel/keyv');

/**
 * @param {{ redis: string | false, print: (line: string) => void }} options
 */
async function main({ redis, print }) {
  const cache = createCache({ redis, namespace: 'example' });
  const store = createKeyv({ cache, namespace: 'products' });
  store.on('error', (error) => print(`survived: ${error.message}`));
  const products = cacheManager.createCache({ stores: [store], ttl: 60_000 });

  let queries = 0;
  const findProduct = async (id) => {
    queries++;
    return { id, name: `Product ${id}`, price: 100 * id };
  };
  const product = (id) => products.wrap(`product:${id}`, () => findProduct(id), 5000);

  try {
    await products.clear();
    print(`first:  ${JSON.stringify(await product(7))}, ${queries} queries`);
    print(`second: ${JSON.stringify(await product(7))}, ${queries} queries`);
    await products.mset([
      { key: 'product:8', value: { id: 8, name: 'Eight' } },
      { key: 'product:9', value: { id: 9, name: 'Nine' }, ttl: 1000 },
    ]);
    print(`many:   ${(await products.mget(['product:8', 'product:9'])).map(({ name }) => name).join(', ')}`);
    await products.del('product:7');
    print(`third:  ${JSON.stringify(await product(7))}, ${queries} queries`);
    await products.clear();
    print(`empty:  ${(await products.get('product:8')) === undefined}`);
  } finally {
    await store.disconnect();
    await cache.close();
  }
}

if (require.main === module) {
  main({ redis: process.argv[2] ?? process.env.REDIS_URL ?? false, print: console.log }).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

module.exports = { main };
