'use strict';
// A site in a process of its own, whose memory can be measured while others are its clients.
//
//   const site = await SiteProcess.start('in front', options, (req, res, run) => …);   the handler closes over nothing
//   await site.settled();                      collects garbage; from now on growth counts
//   await site.growth();                       { peak, growth, rss } in MiB, the peak since then
//   await site.runs();

const { Agent } = require('./agents');

class SiteProcess {
  #agent;

  /**
   * @param {string} mount
   * @param {object} options of cacheResponse
   * @param {(req: any, res: any, run: number) => void} handler
   * @param {object} [cache] options of createCache
   */
  static async start(mount, options, handler, cache = { redis: false }) {
    const agent = await Agent.process(cache);
    const port = await agent.run(serveSite, mount, options, handler.toString());
    return new SiteProcess(agent, port);
  }

  /** Use {@link SiteProcess.start}. */
  constructor(agent, port) {
    this.#agent = agent;
    this.port = port;
  }

  settled() {
    return this.#agent.run(async ({ state, delay }) => {
      state.collect();
      await delay(100);
      state.collect();
      state.before = state.peak = process.memoryUsage.rss();
    });
  }

  /** @returns {Promise<{ before: number, peak: number, growth: number, now: number }>} MiB */
  growth() {
    return this.#agent.run(({ state }) => {
      const mebi = (bytes) => Math.round((bytes / 1024 / 1024) * 10) / 10;
      state.sample();
      const { before, peak } = state;
      return {
        before: mebi(before),
        peak: mebi(peak),
        growth: mebi(peak - before),
        now: mebi(process.memoryUsage.rss()),
      };
    });
  }

  runs() {
    return this.#agent.run(({ state }) => state.runs);
  }

  end() {
    return this.#agent.kill();
  }
}

/** Runs in the process. */
async function serveSite({ cache, state }, mount, options, source) {
  const load = (name) => process.mainModule.require(name);
  const { cacheResponse } = load('../../lib/http');
  const handler = load('node:vm').runInThisContext(`(${source})`);
  state.runs = 0;
  state.peak = 0;
  state.sample = () => {
    state.peak = Math.max(state.peak, process.memoryUsage.rss());
  };
  setInterval(state.sample, 10).unref();
  load('node:v8').setFlagsFromString('--expose-gc');
  state.collect = load('node:vm').runInNewContext('gc');
  const given = { cache, warnings: false, ...options };
  const counted = (req, res) => handler(req, res, ++state.runs, load);
  const express = load('express');
  const listener =
    mount === 'in front' ? cacheResponse.front(counted, given) : express().use(cacheResponse(given)).use(counted);
  const server = load('node:http').createServer(listener);
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = server.headersTimeout = 0;
  await new Promise((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(undefined)),
  );
  return server.address().port;
}

module.exports = { SiteProcess };
