'use strict';
// The private redis-server of a benchmark, pinned to its own core, and what a child needs to know of it.

const { RedisServer, findRedisServer } = require('../../test/helpers/redis-server');

async function withServer(core, work) {
  const server = await RedisServer.start({ cpu: core });
  try {
    return await work({ url: server.url, port: server.port });
  } finally {
    await server.stop();
  }
}

module.exports = { redisProgram: findRedisServer, withServer };
