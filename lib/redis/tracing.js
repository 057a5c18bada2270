'use strict';
// diagnostics_channel: `tracing:tiercel:redis:*`, one trace per command, made only while somebody listens. Names and
// places, never arguments: they are the users' data.
const { tracingChannel } = require('node:diagnostics_channel');

const channel = tracingChannel('tiercel:redis');

const tracer = {
  get isOn() {
    const { start, end, asyncStart, asyncEnd, error } = channel;
    return (
      start.hasSubscribers ||
      asyncEnd.hasSubscribers ||
      error.hasSubscribers ||
      end.hasSubscribers ||
      asyncStart.hasSubscribers
    );
  },

  /**
   * @param {string} command
   * @param {{ host: string, port: number, path: string, db: number }} options
   * @param {Promise<any>} answer
   * @returns {Promise<any>}
   */
  trace(command, { host, port, path, db }, answer) {
    const context = path === '' ? { command, host, port, db } : { command, path, db };
    return channel.tracePromise(() => answer, context);
  },
};

module.exports = { tracer };
