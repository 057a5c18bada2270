'use strict';
// GET /api/dashboard?days=30: what the last days brought. The route does not know that the function is memoized.

const express = require('express');
const { DASHBOARD_DAYS } = require('../cached');
const { readChoice } = require('../validation');

function dashboardRoutes({ cached }) {
  const router = express.Router();
  const choices = DASHBOARD_DAYS.map(String);

  router.get('/', async (req, res) => {
    const days = Number(readChoice(req.query.days ?? '30', 'days', choices));
    const startedAt = Date.now();
    const dashboard = await cached.dashboard(days);
    const isHit = Date.parse(dashboard.computedAt) <= startedAt;
    res.set('Cache-Status', isHit ? 'shop; hit' : 'shop; fwd=miss').json(dashboard);
  });

  return router;
}

module.exports = { dashboardRoutes };
