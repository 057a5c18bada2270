'use strict';
// GET /health: always 200, because the shop answers without Redis too; the body says how it is.

const express = require('express');

function healthRoutes({ cache, queries }) {
  const router = express.Router();

  router.get('/', async (req, res) => {
    const [{ redis, status, reason, latency, memory }, database] = await Promise.all([
      cache.health(),
      queries.ping().then(
        () => 'ok',
        () => 'unavailable',
      ),
    ]);
    const { hits, misses, hitRatio, memoryHits, redisHits } = cache.stats();
    res.set('Cache-Control', 'no-store').json({
      status: status === 'ok' && database === 'ok' ? 'ok' : 'degraded',
      database,
      redis,
      reason,
      latency,
      memory,
      cache: { hits, misses, hitRatio, memoryHits, redisHits },
    });
  });

  return router;
}

module.exports = { healthRoutes };
