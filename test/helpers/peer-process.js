'use strict';
// The process of a Peer: runs the functions that it is sent, with a cache of its own.

const vm = require('node:vm');
const tiercel = require('../../lib');

const now = () => Number(process.hrtime.bigint()) / 1e6;
const state = { tiercel, now, delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

process.on('message', async ({ id, source, args }) => {
  try {
    const run = vm.runInThisContext(`(${source})`);
    process.send({ id, result: await run(state, ...args) });
  } catch (error) {
    process.send({ id, failure: String(error?.stack ?? error), code: error?.code });
  }
});
process.on('unhandledRejection', (error) => {
  process.stderr.write(`unhandled: ${error?.stack ?? error}\n`);
  process.exit(1);
});
// It must not outlive the parent.
process.on('disconnect', () => process.exit(0));
