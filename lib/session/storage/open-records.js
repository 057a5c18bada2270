'use strict';
// Where sessions are kept, from the options of a store: on a connection of its own to the server of a cache, on a Redis by
// itself, or, for a cache without Redis, in memory.
const { RedisClient } = require('../../redis/client');
const { normalizeRedisOptions, redisFromEnvironment } = require('../../redis/options');
const { storeOf } = require('../../store/store');
const { memoryRecordsOf } = require('./memory-records');
const { RedisRecords } = require('./redis-records');
const { TrackedRecords } = require('./tracked-records');

// Less than for a client by itself, as a page waits for the answer; more than for a cache, which has a loader instead.
const COMMAND_TIMEOUT_MS = 1000;
const HEARTBEAT_MS = 2000;
const BACKOFF_MAX_MS = 800;

/**
 * Where records are kept: on a connection of its own to the server of a cache, on a Redis by itself, or, for a cache
 * without Redis, in memory.
 * @param {{ cache?: any, redis?: any, memory?: boolean }} given one of cache and redis; neither: the Redis of the
 *   environment. memory: what was read is kept in memory until it changes
 * @param {(connected: boolean) => void} [onState] told when the connection is lost for longer, and when it is back
 * @returns {import('./redis-records').Records}
 */
function openRecords({ cache, redis, memory = false }, onState) {
  if (cache !== undefined && redis !== undefined) throw new TypeError("expected 'cache' or 'redis', not both");
  const Kind = memory ? TrackedRecords : RedisRecords;
  if (cache !== undefined) {
    const store = storeOf(cache);
    const { client } = store.tiers;
    if (client === undefined) return memoryRecordsOf(cache);
    const records = new Kind(client.duplicate(), { owned: true, onState });
    store.attach(records);
    return records;
  }
  if (redis instanceof RedisClient) {
    // With memory, everything that is read on the connection is announced to it: one of its own.
    return new Kind(memory ? redis.duplicate() : redis, { owned: memory, onState });
  }
  return new Kind(new RedisClient(redisOptions(redis)), { owned: true, onState });
}

/** @param {any} redis */
function redisOptions(redis) {
  const { env } = process;
  const options = redis === undefined ? redisFromEnvironment(env) : normalizeRedisOptions(redis, 'redis', env);
  if (options === undefined) {
    throw new TypeError("expected 'cache' or 'redis', or REDIS_URL in the environment, and there is none of them");
  }
  const own = typeof redis === 'object' ? redis : {};
  if (own.commandTimeout === undefined) options.commandTimeout = COMMAND_TIMEOUT_MS;
  if (own.heartbeat === undefined) options.heartbeat = HEARTBEAT_MS;
  if (own.reconnect?.max === undefined) options.backoffMax = Math.max(BACKOFF_MAX_MS, options.backoffMin);
  return options;
}

module.exports = { openRecords };
