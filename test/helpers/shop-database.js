'use strict';
// The database of examples/shop in a worker thread. PGlite loads itself with import(), which Jest does not allow in the
// contexts where it runs tests; a worker thread is outside of them.

const { once } = require('node:events');
const { Worker, parentPort, workerData } = require('node:worker_threads');

const ROLE = 'shop-database';

/** Opens the database; resolves to what the shop uses of it: `{ query(sql, parameters), close() }`. */
async function openShopDatabase() {
  const worker = new Worker(__filename, { workerData: ROLE });
  await once(worker, 'message');

  const waiting = new Map();
  let lastId = 0;
  worker.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(error);
    else resolve(result);
  });

  return {
    query(sql, parameters) {
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, sql, parameters });
      });
    },
    async close() {
      await worker.terminate();
    },
  };
}

async function serve() {
  const { openDatabase } = require('../../examples/shop/database');
  const db = await openDatabase();
  parentPort.on('message', async ({ id, sql, parameters }) => {
    try {
      parentPort.postMessage({ id, result: { rows: (await db.query(sql, parameters)).rows } });
    } catch (error) {
      parentPort.postMessage({ id, error: new Error(error.message) });
    }
  });
  parentPort.postMessage('open');
}

if (workerData === ROLE) serve();

module.exports = { openShopDatabase };
