'use strict';
// GET /api/categories: every category with its figures. The whole answer is cached.

const express = require('express');
const { cacheKey, cacheResponse } = require('tiercel');

function categoryRoutes({ cache, cached, queries }) {
  const router = express.Router();

  router.get(
    '/',
    async (req, res, next) => {
      req.revision = await cached.catalogueRevision();
      next();
    },
    cacheResponse({ cache, ttl: '30s', key: ({ revision }) => cacheKey('categories', revision), name: 'shop' }),
    async (req, res) => {
      res.json(await queries.listCategories());
    },
  );

  return router;
}

module.exports = { categoryRoutes };
