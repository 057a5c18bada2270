'use strict';
// The database: Postgres compiled to WebAssembly (PGlite), in memory, in this process. The same rows on every start.

const { PGlite } = require('@electric-sql/pglite');

const SCHEMA = `
  CREATE TABLE categories (
    id   integer PRIMARY KEY,
    name text NOT NULL
  );
  CREATE TABLE products (
    id          integer PRIMARY KEY,
    category_id integer NOT NULL,
    name        text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents >= 0),
    stock       integer NOT NULL CHECK (stock >= 0)
  );
  CREATE TABLE users (
    id   integer PRIMARY KEY,
    name text NOT NULL
  );
  CREATE TABLE orders (
    id         integer PRIMARY KEY,
    user_id    integer NOT NULL,
    ordered_on date NOT NULL
  );
  CREATE TABLE order_lines (
    order_id   integer NOT NULL,
    line       integer NOT NULL,
    product_id integer NOT NULL,
    quantity   integer NOT NULL,
    unit_cents integer NOT NULL,
    PRIMARY KEY (order_id, line)
  );
  CREATE TABLE ratings (
    product_id integer NOT NULL,
    user_id    integer NOT NULL,
    stars      integer NOT NULL CHECK (stars BETWEEN 1 AND 5)
  );
  -- One row. Every change of a product raises the number in the same statement; cached lists carry it in their key.
  CREATE TABLE catalogue (
    revision integer NOT NULL
  );
`;

// pick(row, salt, n): a number from 0 to n - 1 that looks random and never changes.
const SEED = `
  CREATE FUNCTION pick(integer, integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
    'SELECT ((hashint4extended($1, $2) & 9007199254740991) % $3)::integer';

  INSERT INTO catalogue VALUES (1);

  INSERT INTO categories
  SELECT 10 * (a - 1) + b,
         (ARRAY['Kitchen', 'Garden', 'Office', 'Outdoor', 'Workshop'])[a] || ' ' ||
         (ARRAY['tools', 'lamps', 'storage', 'furniture', 'textiles', 'machines', 'books', 'toys', 'clothing', 'decor'])[b]
    FROM generate_series(1, 5) a, generate_series(1, 10) b;

  INSERT INTO products
  SELECT g,
         1 + pick(g, 1, 50),
         (ARRAY['Oak', 'Steel', 'Linen', 'Copper', 'Slate', 'Walnut', 'Brass', 'Felt'])[1 + pick(g, 2, 8)] || ' ' ||
         (ARRAY['lamp', 'chair', 'box', 'kettle', 'shelf', 'blanket', 'drill', 'clock', 'bowl', 'bench'])[1 + pick(g, 3, 10)]
           || ' ' || g,
         199 + pick(g, 4, 30000),
         pick(g, 5, 500)
    FROM generate_series(1, 10000) g;

  INSERT INTO users
  SELECT g, (ARRAY['Ada', 'Bo', 'Cleo', 'Dan', 'Edith', 'Finn', 'Grace', 'Hugo'])[1 + pick(g, 6, 8)] || ' ' || g
    FROM generate_series(1, 2000) g;

  -- A year of orders, the newest last. Squaring makes some users and some products more popular than others.
  INSERT INTO orders
  SELECT g, 1 + pick(g, 7, 2000)::bigint * pick(g, 8, 2000) / 2000, date '2025-07-01' + (g - 1) * 365 / 20000
    FROM generate_series(1, 20000) g;

  INSERT INTO order_lines
  SELECT o, line, p.id, 1 + pick(4 * o + line, 11, 5), p.price_cents
    FROM generate_series(1, 20000) o
   CROSS JOIN LATERAL generate_series(1, 1 + pick(o, 12, 4)) line
    JOIN products p ON p.id = 1 + pick(4 * o + line, 9, 10000)::bigint * pick(4 * o + line, 10, 10000) / 10000;

  INSERT INTO ratings
  SELECT 1 + pick(g, 13, 10000), 1 + pick(g, 14, 2000), 5 - pick(g, 15, 25) / 6
    FROM generate_series(1, 40000) g;
`;

// After the rows, because that is faster.
const CONSTRAINTS = `
  ALTER TABLE products ADD FOREIGN KEY (category_id) REFERENCES categories;
  ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users;
  ALTER TABLE order_lines ADD FOREIGN KEY (order_id) REFERENCES orders, ADD FOREIGN KEY (product_id) REFERENCES products;
  ALTER TABLE ratings ADD FOREIGN KEY (product_id) REFERENCES products, ADD FOREIGN KEY (user_id) REFERENCES users;
  CREATE INDEX ON products (category_id);
  CREATE INDEX ON orders (ordered_on);
  CREATE INDEX ON order_lines (product_id);
  CREATE INDEX ON ratings (product_id);
  ANALYZE;
`;

/** Opens a new database and fills it: 50 categories, 10,000 products, 2,000 users, 20,000 orders. */
async function openDatabase() {
  const db = await PGlite.create();
  await db.exec(SCHEMA + SEED + CONSTRAINTS);
  return db;
}

module.exports = { openDatabase };
