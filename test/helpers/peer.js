'use strict';
// Another process with a cache of its own, run by functions from here:
//
//   const peer = await Peer.start({ redis: server.url });
//   await peer.run(async ({ cache, tiercel, now, delay }, key) => cache.get(key), 'k');
//   await peer.end();
//
// A function may use nothing but its arguments. now() is in ms of CLOCK_MONOTONIC, which all processes share.

const { fork } = require('node:child_process');
const path = require('node:path');

class Peer {
  #child;
  #lastId = 0;
  #waiting = new Map();

  /** @param {object} options of its cache, which is connected when this resolves, unless that takes too long */
  static async start(options) {
    const peer = new Peer();
    await peer.run(async (state, given) => {
      state.given = given;
      state.cache = state.tiercel.createCache(given);
      for (let i = 0; i < 500 && (await state.cache.health()).redis !== 'ok'; i++) await state.delay(2);
    }, options);
    return peer;
  }

  /** Use {@link Peer.start}. */
  constructor() {
    this.#child = fork(path.join(__dirname, 'peer-process.js'), { serialization: 'advanced', execArgv: [] });
    this.#child.on('message', ({ id, result, failure, code }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) resolve(result);
      else reject(Object.assign(new Error(failure), { code }));
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the peer ended: ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  /**
   * @param {(state: any, ...args: any[]) => any} work
   * @param {...any} args
   */
  run(work, ...args) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, source: work.toString(), args });
    });
  }

  /** Closes the cache, and ends the process; the exit code tells whether everything was in order. */
  async end() {
    const exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(code ?? signal)));
    await this.run(({ cache }) => cache.close()).catch(() => {});
    this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    const code = await exited;
    clearTimeout(timer);
    return code;
  }
}

module.exports = { Peer };
