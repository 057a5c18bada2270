'use strict';
// connect-redis 9 on node-redis, the pair of today.

const { RedisStore } = require('connect-redis');
const { createClient } = require('redis');

module.exports = async function open({ url }) {
  const client = createClient({ url });
  await client.connect();
  return { store: new RedisStore({ client }), close: () => client.close() };
};
