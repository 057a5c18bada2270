'use strict';
// Tiercel's own Redis client.

const { createRedis } = require('../../../..');

module.exports = async function connect({ url }) {
  const client = createRedis(url);
  await client.ping();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(...keys),
    close: () => client.close(),
  };
};
