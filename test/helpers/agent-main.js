'use strict';
// What runs in the process or thread of an agent (agents.js): functions that the test sends.
const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const tiercel = require('../../lib');
const { delay, until } = require('./until');

const send = (message) => (isMainThread ? process.send(message) : parentPort.postMessage(message));

// What every function of the test is given.
const here = {
  tiercel,
  delay,
  until,
  /** @type {Record<string, any>} */
  state: {},
  shared: workerData?.shared,
  cache: undefined,
  tell: (event, details) => send({ event, details }),
  open: async (options) => {
    here.cache = tiercel.createCache(options);
    await until('a connection', async () => (await here.cache.health()).status === 'ok');
    return here.cache;
  },
};

(isMainThread ? process : parentPort).on('message', async ({ id, source, args }) => {
  try {
    // Functions come as their text; they see `here` and their arguments, and nothing else.
    const answer = await (0, eval)(`(${source})`)(here, ...args);
    send({ id, answer });
  } catch (error) {
    send({ id, error: { name: error.name, message: error.message, code: error.code, stack: error.stack } });
  }
});
if (isMainThread) process.on('disconnect', () => process.exit(0));
send({ event: 'up' });
