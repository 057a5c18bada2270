'use strict';
// ioredis as it comes, or with auto-pipelining, which its documentation advises for many small commands.

const Redis = require('ioredis');

module.exports = async function connect({ port }, options = {}) {
  const client = new Redis({ host: '127.0.0.1', port, ...options });
  await client.ping();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(keys),
    close: () => client.quit(),
  };
};
