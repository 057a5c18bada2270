'use strict';
// /api/products: the list (whole answers cached), one product (its data cached), and its change.

const express = require('express');
const { cacheKey, cacheResponse, hashArgs } = require('tiercel');
const { HttpError } = require('../errors');
const { readId, readListQuery, readProduct } = require('../validation');

function productRoutes({ cache, cached, queries }) {
  const router = express.Router();

  const listKey = ({ list, revision }) => cacheKey('products', revision, hashArgs([list]));

  router.get(
    '/',
    async (req, res, next) => {
      req.list = readListQuery(req.query);
      req.revision = await cached.catalogueRevision();
      next();
    },
    cacheResponse({ cache, ttl: '30s', key: listKey, name: 'shop' }),
    async (req, res) => {
      res.json(await queries.listProducts(req.list));
    },
  );

  router.get('/:id', async (req, res) => {
    const id = readId(req.params.id);
    const { product, isHit } = await cached.product(id);
    if (product === undefined) throw new HttpError(404, `There is no product ${id}.`);
    res.set('Cache-Status', isHit ? 'shop; hit' : 'shop; fwd=miss').json(product);
  });

  router.put('/:id', express.json({ limit: '10kb' }), async (req, res) => {
    const id = readId(req.params.id);
    const change = readProduct(req.body);
    if (!(await queries.categoryExists(change.categoryId))) {
      throw new HttpError(400, `There is no category ${change.categoryId}.`);
    }
    if (!(await queries.updateProduct(id, change))) throw new HttpError(404, `There is no product ${id}.`);

    // The change is in the database, so the answer is a success even when the cache cannot be told.
    if (!(await cached.productChanged(id))) res.set('Cache-Status', 'shop; detail=not-invalidated');
    res.json(await queries.getProduct(id));
  });

  return router;
}

module.exports = { productRoutes };
