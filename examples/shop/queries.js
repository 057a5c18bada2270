'use strict';
// All SQL of the shop. Money is whole cents in the tables and a decimal number in what these functions return.

const SORT_ORDERS = {
  name: 'p.name, p.id',
  price: 'p.price_cents, p.id',
  '-price': 'p.price_cents DESC, p.id',
  '-rating': 'rating DESC NULLS LAST, ratings DESC, p.id',
  '-sold': 'sold DESC, p.id',
};

// The filter of a list: $1 is a category or null, $2 a text or null.
const MATCHES = `($1::integer IS NULL OR p.category_id = $1)
             AND ($2::text IS NULL OR strpos(lower(p.name), lower($2)) > 0)`;

const LIST_COUNT = `SELECT count(*)::integer AS total FROM products p WHERE ${MATCHES}`;

// Sorts by figures that no table holds, so every list adds up all order lines and all ratings.
const listPage = (sort) => `
  WITH sales AS (SELECT product_id, sum(quantity)::integer AS sold FROM order_lines GROUP BY product_id),
       stars AS (SELECT product_id, avg(stars) AS rating, count(*)::integer AS ratings FROM ratings GROUP BY product_id)
  SELECT p.id, p.name, p.price_cents / 100.0::float8 AS price, p.stock, c.name AS category,
         round(stars.rating, 2)::float8 AS rating, coalesce(stars.ratings, 0) AS ratings, coalesce(sales.sold, 0) AS sold
    FROM products p
    JOIN categories c ON c.id = p.category_id
    LEFT JOIN sales ON sales.product_id = p.id
    LEFT JOIN stars ON stars.product_id = p.id
   WHERE ${MATCHES}
   ORDER BY ${sort}
   LIMIT $3 OFFSET $4`;

const PRODUCT = `
  SELECT p.id, p.name, p.price_cents / 100.0::float8 AS price, p.stock, p.category_id AS "categoryId", c.name AS category,
         json_build_object('orders', s.orders, 'sold', s.sold, 'revenue', s.revenue, 'rating', r.rating, 'ratings', r.ratings)
           AS stats
    FROM products p
    JOIN categories c ON c.id = p.category_id
   CROSS JOIN (SELECT count(DISTINCT order_id) AS orders, coalesce(sum(quantity), 0) AS sold,
                      coalesce(sum(quantity * unit_cents), 0) / 100.0::float8 AS revenue
                 FROM order_lines WHERE product_id = $1) s
   CROSS JOIN (SELECT round(avg(stars), 2)::float8 AS rating, count(*) AS ratings FROM ratings WHERE product_id = $1) r
   WHERE p.id = $1`;

const UPDATE_PRODUCT = `
  WITH updated AS (
    UPDATE products SET name = $2, price_cents = $3, stock = $4, category_id = $5 WHERE id = $1 RETURNING id
  ), next AS (
    UPDATE catalogue SET revision = revision + 1 WHERE EXISTS (SELECT FROM updated)
  )
  SELECT id FROM updated`;

const CATEGORIES = `
  WITH sales AS (
    SELECT product_id, sum(quantity) AS sold, sum(quantity * unit_cents) AS cents FROM order_lines GROUP BY product_id
  ), figures AS (
    SELECT p.category_id, count(*)::integer AS products, round(avg(p.price_cents) / 100, 2)::float8 AS average_price,
           coalesce(sum(s.sold), 0)::integer AS sold, coalesce(sum(s.cents), 0) / 100.0::float8 AS revenue
      FROM products p
      LEFT JOIN sales s ON s.product_id = p.id
     GROUP BY p.category_id
  ), stars AS (
    SELECT p.category_id, round(avg(r.stars), 2)::float8 AS rating
      FROM ratings r
      JOIN products p ON p.id = r.product_id
     GROUP BY p.category_id
  ), best AS (
    SELECT DISTINCT ON (p.category_id) p.category_id, p.id, p.name, s.sold
      FROM products p
      JOIN sales s ON s.product_id = p.id
     ORDER BY p.category_id, s.sold DESC, p.id
  )
  SELECT c.id, c.name, coalesce(f.products, 0) AS products, f.average_price AS "averagePrice", coalesce(f.sold, 0) AS sold,
         coalesce(f.revenue, 0) AS revenue, stars.rating,
         CASE WHEN best.id IS NOT NULL THEN json_build_object('id', best.id, 'name', best.name, 'sold', best.sold) END
           AS "bestSeller"
    FROM categories c
    LEFT JOIN figures f ON f.category_id = c.id
    LEFT JOIN stars ON stars.category_id = c.id
    LEFT JOIN best ON best.category_id = c.id
   ORDER BY c.name`;

// The lines of the last $1 days, counted back from the newest order.
const RECENT = `
  WITH recent AS (
    SELECT l.*, o.user_id, o.ordered_on, l.quantity * l.unit_cents AS cents
      FROM order_lines l
      JOIN orders o ON o.id = l.order_id
     WHERE o.ordered_on > (SELECT max(ordered_on) FROM orders) - $1::integer
  )`;

const TOTALS = `${RECENT}
  SELECT count(DISTINCT order_id)::integer AS orders, coalesce(sum(quantity), 0)::integer AS sold,
         coalesce(sum(cents), 0) / 100.0::float8 AS revenue
    FROM recent`;

const REVENUE_BY_DAY = `${RECENT}
  SELECT to_char(ordered_on, 'YYYY-MM-DD') AS day, count(DISTINCT order_id)::integer AS orders,
         sum(cents) / 100.0::float8 AS revenue
    FROM recent
   GROUP BY ordered_on
   ORDER BY ordered_on`;

const REVENUE_BY_CATEGORY = `${RECENT}
  SELECT c.id, c.name, sum(cents) / 100.0::float8 AS revenue
    FROM recent
    JOIN products p ON p.id = product_id
    JOIN categories c ON c.id = p.category_id
   GROUP BY c.id
   ORDER BY revenue DESC, c.id`;

const TOP_PRODUCTS = `${RECENT}
  SELECT p.id, p.name, p.price_cents / 100.0::float8 AS price, sum(quantity)::integer AS sold,
         sum(cents) / 100.0::float8 AS revenue
    FROM recent
    JOIN products p ON p.id = product_id
   GROUP BY p.id
   ORDER BY revenue DESC, p.id
   LIMIT 10`;

const BEST_CUSTOMERS = `${RECENT}
  SELECT u.id, u.name, count(DISTINCT order_id)::integer AS orders, sum(cents) / 100.0::float8 AS revenue
    FROM recent
    JOIN users u ON u.id = user_id
   GROUP BY u.id
   ORDER BY revenue DESC, u.id
   LIMIT 10`;

/** The queries of one database. */
function createQueries(db) {
  const rows = async (sql, parameters) => (await db.query(sql, parameters)).rows;
  const row = async (sql, parameters) => (await rows(sql, parameters))[0];

  return {
    /** The number that every change of a product raises. */
    async catalogueRevision() {
      return (await row('SELECT revision FROM catalogue')).revision;
    },

    async listProducts({ category, search, sort, page, limit }) {
      const { total } = await row(LIST_COUNT, [category, search]);
      const items = await rows(listPage(SORT_ORDERS[sort]), [category, search, limit, (page - 1) * limit]);
      return { page, limit, total, items };
    },

    /** The product, or undefined. */
    getProduct(id) {
      return row(PRODUCT, [id]);
    },

    /** Resolves whether there is such a product. */
    async updateProduct(id, { name, price, stock, categoryId }) {
      const updated = await row(UPDATE_PRODUCT, [id, name, Math.round(price * 100), stock, categoryId]);
      return updated !== undefined;
    },

    async categoryExists(id) {
      return (await row('SELECT 1 FROM categories WHERE id = $1', [id])) !== undefined;
    },

    listCategories() {
      return rows(CATEGORIES);
    },

    /** What the last `days` days brought. */
    async dashboard(days) {
      return {
        days,
        totals: await row(TOTALS, [days]),
        revenueByDay: await rows(REVENUE_BY_DAY, [days]),
        revenueByCategory: await rows(REVENUE_BY_CATEGORY, [days]),
        topProducts: await rows(TOP_PRODUCTS, [days]),
        bestCustomers: await rows(BEST_CUSTOMERS, [days]),
        computedAt: new Date().toISOString(),
      };
    },

    async ping() {
      await row('SELECT 1');
    },
  };
}

module.exports = { createQueries, SORT_ORDERS: Object.keys(SORT_ORDERS) };
