'use strict';
// node-redis, the package named redis.

const { createClient } = require('redis');

module.exports = async function connect({ url }) {
  const client = createClient({ url });
  await client.connect();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mGet(keys),
    close: () => client.close(),
  };
};
