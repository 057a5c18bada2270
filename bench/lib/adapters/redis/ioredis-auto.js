'use strict';
// ioredis with auto-pipelining.

const connect = require('./ioredis');

module.exports = (server) => connect(server, { enableAutoPipelining: true });
