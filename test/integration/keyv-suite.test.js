'use strict';
// Keyv's own compliance suite for storage adapters, over both tiers and over memory alone.

const { Keyv } = require('keyv');
const { default: keyvTestSuite, keyvIteratorTests } = require('@keyv/test-suite');
const { createCache } = require('../../lib');
const { KeyvTiercel } = require('../../lib/keyv');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');

/** The suite was written for Vitest, whose tests are given `expect`. */
const asVitest = {
  ...{ beforeEach, afterEach },
  it: (name, run) => it(name, () => run({ expect })),
};

describe.each(['memory and Redis', 'Redis alone', 'memory alone'])('%s', (tiers) => {
  let server;
  let cache;

  beforeAll(async () => {
    if (tiers !== 'memory alone') server = await RedisServer.start();
    cache = createCache({
      redis: server?.url ?? false,
      ...(tiers === 'Redis alone' ? { memory: false } : {}),
      namespace: ownNamespace(),
    });
    await until('the cache to be ready', async () => (await cache.health()).status === 'ok');
  });
  afterAll(async () => {
    await cache.close();
    await server?.stop();
  });

  const store = () => new KeyvTiercel({ cache });
  keyvTestSuite(asVitest, Keyv, store);
  describe('iterator', () => keyvIteratorTests(asVitest, Keyv, store));
});
