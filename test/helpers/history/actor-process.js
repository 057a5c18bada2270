'use strict';
// A process of a history: one actor, or several in worker threads, which share the memory tier. Passes on what the
// parent and they have to say to each other; every message bears the number of the thread.

const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { Actor } = require('./actor');

const fail = (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
};

if (!isMainThread) {
  const actor = new Actor({ send: (message) => parentPort.postMessage(message) });
  parentPort.on('message', (message) => actor.handle(message).catch(fail));
} else {
  const threads = Number(process.argv[2]);
  const handlers = Array.from({ length: threads }, (_, thread) => {
    const send = (message) => process.connected && process.send({ thread, message });
    if (threads === 1) {
      const actor = new Actor({ send });
      return (message) => actor.handle(message).catch(fail);
    }
    const worker = new Worker(__filename);
    worker.on('message', send);
    worker.on('error', fail);
    return (message) => worker.postMessage(message);
  });
  process.on('message', ({ thread, message }) => handlers[thread](message));
  process.on('unhandledRejection', fail);
  // It must not outlive the parent.
  process.on('disconnect', () => process.exit(0));
}
