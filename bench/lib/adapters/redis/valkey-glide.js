'use strict';
// valkey-glide: a core in Rust, on threads of its own, which count as CPU of the client.

const { GlideClient } = require('@valkey/valkey-glide');

module.exports = async function connect({ port }) {
  const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }], requestTimeout: 5000 });
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget(keys),
    close: () => client.close(),
  };
};
