'use strict';
// Runs the libraries of one case side by side: one pinned child process each, rounds in turn, the median of each.

const { fork, spawnSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const WARM_UP_MS = 300;
const CHILD = path.join(__dirname, 'child.js');

/** The client's core and the server's, or undefined where they cannot be chosen. */
function pinning() {
  const possible = os.availableParallelism() >= 2 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;
  return possible ? { client: 0, server: 1 } : undefined;
}

class Child {
  #process;
  #waiting = null;
  #early = [];

  constructor(testCase, core) {
    const prefix = core === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] };
    this.#process = fork(CHILD, [JSON.stringify(testCase)], {
      ...prefix,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message) => this.#receive(message));
    this.#process.once('exit', (code, signal) => this.#receive({ error: `the child ended (${signal ?? code})` }));
  }

  #receive(message) {
    if (!this.#waiting) {
      this.#early.push(message);
      return;
    }
    const { resolve, reject } = this.#waiting;
    this.#waiting = null;
    if (message.error) reject(new Error(message.error));
    else resolve(message);
  }

  #answer() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#early.length > 0) this.#receive(this.#early.shift());
    });
  }

  ready() {
    return this.#answer();
  }

  async round(milliseconds) {
    this.#process.send({ round: milliseconds });
    return (await this.#answer()).result;
  }

  async end() {
    this.#process.send({ end: true });
    await this.#answer();
  }

  kill() {
    this.#process.kill('SIGKILL');
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function medians(rounds) {
  const pick = (name) => median(rounds.map((round) => round[name]));
  const names = Object.keys(rounds[0]).filter((name) => name !== 'operations');
  return { ...Object.fromEntries(names.map((name) => [name, pick(name)])), rounds };
}

/**
 * @param {object} testCase what all children share: workload, inFlight, server …
 * @param {string[]} adapters
 * @param {{ rounds: number, seconds: number, core?: number }} options
 * @returns one row per adapter: { adapter, opsPerSecond, cpuPerOp, p50, p99, loopP99?, loopMax?, rounds } or { adapter, error }
 */
async function compare(testCase, adapters, { rounds, seconds, core }) {
  const entries = adapters.map((adapter) => ({
    adapter,
    child: new Child({ ...testCase, adapter }, core),
    results: [],
  }));
  // A library that fails is out of the race, and of this race alone.
  const each = async (work) => {
    for (const entry of entries) {
      if (entry.error) continue;
      try {
        await work(entry);
      } catch (error) {
        entry.error = error.message;
        entry.child.kill();
      }
    }
  };
  try {
    await each(({ child }) => child.ready());
    await each(({ child }) => child.round(Math.min(WARM_UP_MS, seconds * 1000)));
    for (let i = 0; i < rounds; i++) {
      await each(async ({ child, results }) => results.push(await child.round(seconds * 1000)));
    }
    await each(({ child }) => child.end());
  } finally {
    for (const { child } of entries) child.kill();
  }
  return entries.map(({ adapter, error, results }) => (error ? { adapter, error } : { adapter, ...medians(results) }));
}

module.exports = { compare, pinning };
