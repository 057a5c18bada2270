'use strict';
// What a cache says about itself.
const { CacheError } = require('../errors');
const { linkOf } = require('../redis/link');

/**
 * @template {Record<string, number>} Counters
 * @param {import('./tiered-store').TierCounters} tierCounters
 * @param {Counters} counters
 * @param {any} memory statistics of the memory tier; undefined: there is none
 * @param {number} pendingInvalidations
 */
function statsOf(tierCounters, counters, memory, pendingInvalidations) {
  const { memoryHits, redisHits, misses, redisErrors, corrupt } = tierCounters;
  const hits = memoryHits + redisHits;
  return {
    hits,
    misses,
    hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses),
    ...counters,
    redisErrors,
    corrupt,
    memoryHits,
    redisHits,
    pendingInvalidations,
    memory,
  };
}

/**
 * @param {any} stats of the memory tier
 * @param {import('../redis/client').Client | undefined} client
 * @param {boolean} closed
 * @param {number} pendingInvalidations
 * @returns {Promise<import('../../types').CacheHealth>}
 */
async function healthOf(stats, client, closed, pendingInvalidations) {
  const memory = stats && { entries: stats.entries, bytes: stats.bytes, maxBytes: stats.maxBytes };
  const more = { pendingInvalidations, memory };
  if (closed) return { status: 'closed', redis: client ? 'unavailable' : 'none', ...more };
  if (client === undefined) return { status: 'ok', redis: 'none', ...more };
  const began = performance.now();
  if (client.status === 'connecting') {
    const reason = `no connection yet: ${linkOf(client).state.reason}`;
    return { status: 'degraded', redis: 'connecting', reason, ...more };
  }
  try {
    // A connection that is not there would be waited for; the question is how it is now.
    if (client.status !== 'ready') {
      throw new CacheError('UNAVAILABLE', linkOf(client).state.reason || 'not connected');
    }
    await client.call('PING');
    return { status: 'ok', redis: 'ok', latency: Math.round((performance.now() - began) * 1000) / 1000, ...more };
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    return { status: 'degraded', redis: 'unavailable', reason: message, ...more };
  }
}

module.exports = { statsOf, healthOf };
