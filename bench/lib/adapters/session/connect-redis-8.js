'use strict';
// connect-redis 8 on ioredis: the last version that works with it.

const { RedisStore } = require('connect-redis-8');
const Redis = require('ioredis');

module.exports = async function open({ url }) {
  const client = new Redis(url);
  await client.ping();
  return { store: new RedisStore({ client }), close: () => client.quit() };
};
