'use strict';
// The Express app: routes around a database and a cache that the caller opens and closes.

const express = require('express');
const { createCachedQueries } = require('./cached');
const { errorHandler, notFound } = require('./errors');
const { createQueries } = require('./queries');
const { categoryRoutes } = require('./routes/categories');
const { dashboardRoutes } = require('./routes/dashboard');
const { healthRoutes } = require('./routes/health');
const { productRoutes } = require('./routes/products');

function createShop({ db, cache, logger = console }) {
  const queries = createQueries(db);
  const cached = createCachedQueries({ cache, queries, logger });
  const parts = { cache, cached, queries };

  const app = express();
  app.disable('x-powered-by');
  app.use('/api/products', productRoutes(parts));
  app.use('/api/categories', categoryRoutes(parts));
  app.use('/api/dashboard', dashboardRoutes(parts));
  app.use('/health', healthRoutes(parts));
  app.use(notFound);
  app.use(errorHandler(logger));
  return app;
}

module.exports = { createShop };
