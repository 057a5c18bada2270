'use strict';
// Processes and worker threads with a cache of their own, which run functions of the test.
//
//   const agent = await Agent.process({ redis: server.url });       or Agent.thread(options, sharedArrayBuffer)
//   await agent.run(async ({ cache, state, tell, delay }, key) => cache.get(key), 'k');
//   await agent.told('began');                 the next tell('began', …) of a function that runs there
//   agent.pause(); agent.resume();             SIGSTOP and SIGCONT (processes)
//   await agent.kill();                        SIGKILL
//   await endAgents();                         in afterEach

const { fork } = require('node:child_process');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const MAIN = path.join(__dirname, 'agent-main.js');

/** @type {Set<Agent>} */
const agents = new Set();

/** Events and those who wait for them, in order. */
class EventQueue {
  #events = [];
  #waiting = [];

  push(details) {
    const next = this.#waiting.shift();
    if (next) next(details);
    else this.#events.push(details);
  }

  next() {
    if (this.#events.length > 0) return Promise.resolve(this.#events.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

class Agent {
  #port;
  #lastId = 0;
  #calls = new Map();
  #told = new Map();
  #ended;

  /** @param {object} options of createCache */
  static async process(options) {
    return new Agent(fork(MAIN, [], { execArgv: [], serialization: 'advanced' })).#open(options);
  }

  /**
   * @param {object} options of createCache
   * @param {any} [shared] `shared` of the functions
   */
  static async thread(options, shared) {
    return new Agent(new Worker(MAIN, { workerData: { shared } })).#open(options);
  }

  /** Use {@link Agent.process} or {@link Agent.thread}. */
  constructor(port) {
    this.#port = port;
    agents.add(this);
    this.#ended = new Promise((resolve) => port.once('exit', resolve));
    void this.#ended.then(() => {
      agents.delete(this);
      for (const { reject } of this.#calls.values()) reject(new Error('the agent has ended'));
    });
    port.on('message', (message) => this.#onMessage(message));
  }

  get pid() {
    return this.#port.pid;
  }

  async #open(options) {
    await this.told('up');
    await this.run((here, given) => here.open(given).then(() => true), options);
    return this;
  }

  /**
   * @param {(here: any, ...args: any[]) => any} script closes over nothing
   * @param {...any} args
   * @returns {Promise<any>}
   */
  run(script, ...args) {
    const id = ++this.#lastId;
    const message = { id, source: script.toString(), args };
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    if (this.#port instanceof Worker) this.#port.postMessage(message);
    else this.#port.send(message);
    return answer;
  }

  /**
   * What came with the next event of this name that nobody has waited for yet.
   * @param {string} name
   * @returns {Promise<any>}
   */
  told(name) {
    return this.#queue(name).next();
  }

  pause() {
    this.#port.kill('SIGSTOP');
  }

  resume() {
    this.#port.kill('SIGCONT');
  }

  async kill() {
    if (this.#port instanceof Worker) await this.#port.terminate();
    else this.#port.kill('SIGKILL');
    await this.#ended;
  }

  #onMessage({ id, answer, error, event, details }) {
    if (event !== undefined) return this.#queue(event).push(details);
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) return call.resolve(answer);
    const { stack, ...rest } = error;
    return call.reject(Object.assign(new Error(error.message), rest, { remoteStack: stack }));
  }

  #queue(name) {
    if (!this.#told.has(name)) this.#told.set(name, new EventQueue());
    return this.#told.get(name);
  }
}

/** Ends every agent that is left. */
async function endAgents() {
  await Promise.all([...agents].map((agent) => agent.kill()));
}

module.exports = { Agent, endAgents };
