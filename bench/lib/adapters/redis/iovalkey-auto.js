'use strict';
// iovalkey, the Valkey project's fork of ioredis, with auto-pipelining.

const Valkey = require('iovalkey');

module.exports = async function connect({ port }) {
  const client = new Valkey({ host: '127.0.0.1', port, enableAutoPipelining: true });
  await client.ping();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(keys),
    close: () => client.quit(),
  };
};
