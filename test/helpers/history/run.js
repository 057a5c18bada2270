'use strict';
// A random history: processes and threads that read, set and invalidate a few keys while Redis and the network fail, and
// a check of what they saw. Everything random comes from one seed; the scheduling of the processes does not, so a seed
// repeats the plan, not the run.

const { fork } = require('node:child_process');
const path = require('node:path');
const { createRedis } = require('../../../lib');
const { FaultProxy } = require('../fault-proxy');
const { RandomValues } = require('../random-value');
const { RedisServer } = require('../redis-server');
const { delay, until } = require('../until');
const { Checker } = require('./checker');
const { oneFault } = require('./faults');
const { Source } = require('./source');
const { isTracing } = require('./trace');

const HEARTBEAT_MS = 200;
const COMMAND_TIMEOUT_MS = 100;
// How long a silent connection is believed: noticed by the second beat, asked, and given a command's time. The rest is
// for timers that come late on a busy machine.
const TRUST_MS = 2 * HEARTBEAT_MS + Math.max(HEARTBEAT_MS / 2, COMMAND_TIMEOUT_MS) + 30;
const EPISODE_MS = 4000;
// Until everything that is pending was carried out, after the last fault of an episode.
const SETTLE_MS = 10_000;
const ANSWER_MS = 30_000;
// A read takes less than this, where no fault was for so long.
const SLOW_MS = 1000;
const RECOVERY_MS = 2000;

/** An actor, from here. */
class Remote {
  #child;
  #thread;
  #source;
  #waiting = [];

  constructor(child, thread, source) {
    this.#child = child;
    this.#thread = thread;
    this.#source = source;
    child.on('message', ({ thread: from, message }) => {
      if (from === thread) this.#onMessage(message);
    });
    child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting) reject(new Error(`an actor's process ended: ${code ?? signal}`));
    });
  }

  call(type, more = {}) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`an actor did not answer: ${type}`)), ANSWER_MS);
      this.#waiting.push({ resolve: (value) => (clearTimeout(timer), resolve(value)), reject });
      this.#send({ type, ...more });
    });
  }

  #send(message) {
    if (this.#child.connected) this.#child.send({ thread: this.#thread, message });
  }

  #onMessage({ type, id, keys, result }) {
    if (type === 'done') this.#waiting.shift().resolve(result);
    else if (type === 'unlock') this.#source.unlock(keys);
    else this.#source.ask(type, keys, (versions) => this.#send({ type: 'answer', id, versions }));
  }
}

/**
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.seconds
 * @param {boolean} [options.quiet] nothing fails
 * @param {number[]} [options.threads] of each process
 * @param {(line: string) => void} [options.say]
 * @returns {Promise<{ wrong: string[], checked: number, effective: number, faults: Record<string, number> }>}
 *   effective: reads that gave just the version that was in force
 */
async function runHistory({ seed, seconds, quiet = false, threads = [1, 1, 2], say = () => {} }) {
  const random = new RandomValues(seed);
  const source = new Source();
  const server = await RedisServer.start();
  const admin = createRedis(server.url);
  const children = [];
  const actors = [];
  const proxies = [];
  const faults = {};
  const faultTimes = [];
  const wrong = [];
  const checker = new Checker({
    processes: threads.flatMap((count, process) => Array(count).fill(process)),
    trust: TRUST_MS,
  });
  try {
    for (const count of threads) {
      const child = fork(path.join(__dirname, 'actor-process.js'), [String(count)], { serialization: 'advanced' });
      children.push(child);
      const proxy = await FaultProxy.start(server.port);
      proxies.push(proxy);
      for (let thread = 0; thread < count; thread++) {
        const actor = new Remote(child, thread, source);
        actors.push(actor);
        const redis = { port: proxy.port, heartbeat: `${HEARTBEAT_MS}ms` };
        const options = { redis, commandTimeout: `${COMMAND_TIMEOUT_MS}ms`, ttl: '1m', leaseTimeout: '500ms' };
        await actor.call('open', { seed: random.below(2 ** 31), options });
      }
    }
    const everybody = (type) => Promise.all(actors.map((actor) => actor.call(type)));
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end && wrong.length === 0) {
      await everybody('start');
      const episode = Math.min(end, performance.now() + EPISODE_MS);
      if (quiet) await delay(Math.max(0, episode - performance.now()));
      while (performance.now() < episode) {
        const began = Number(process.hrtime.bigint()) / 1e6;
        const name = await oneFault({ server, proxies, admin, random });
        if (name !== 'nothing') faultTimes.push([began, Number(process.hrtime.bigint()) / 1e6, name]);
        faults[name] = (faults[name] ?? 0) + 1;
      }
      await everybody('stop');
      const settled = async () => (await everybody('quiet')).every(({ pending }) => pending === 0);
      await until('nothing to be pending', settled, SETTLE_MS);
      wrong.push(...stuck(await everybody('quiet'), source));
      const records = await everybody('flush');
      records.forEach((own, actor) => checker.add(actor, own));
      wrong.push(...checker.check(), ...slow(records, faultTimes));
      await reportTraces(checker.places, actors, faultTimes, say);
      say(`${checker.checked} reads checked, ${wrong.length} wrong`);
    }
    await everybody('close');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await admin.close();
    await server.stop();
  }
  return { wrong, checked: checker.checked, effective: checker.effective, faults };
}

/** All that the actors know about what was wrong, in the order of time. */
async function reportTraces(places, actors, faultTimes, say) {
  if (!isTracing()) return;
  for (const { key, from, to } of places.slice(0, 5)) {
    const lines = faultTimes.filter(([began, ended]) => began <= to && ended >= from);
    say(`trace of ${key}, ${from.toFixed(2)} to ${to.toFixed(2)}; faults: ${JSON.stringify(lines)}`);
    const traces = await Promise.all(actors.map((actor) => actor.call('trace', { key, from, to })));
    const events = traces.flatMap((trace, actor) => trace.map(([at, about, what]) => [at, actor, about, what]));
    events.sort((a, b) => a[0] - b[0]);
    for (const [at, actor, about, what] of events) say(`${at.toFixed(3)} actor ${actor} [${about}] ${what}`);
  }
}

/** Reads that took long although nothing had failed for a while: somebody waited for what nobody told it. */
function slow(records, faultTimes) {
  return records.flatMap((own, actor) =>
    own
      .filter(([kind, , start, end]) => kind === 'read' && end - start > SLOW_MS)
      .filter(([, , start, end]) => !faultTimes.some(([from, to]) => from <= end && to + RECOVERY_MS >= start))
      .map(
        ([, key, start, end]) =>
          `actor ${actor} waited ${Math.round(end - start)} ms for ${key} at ${start.toFixed(2)}`,
      ),
  );
}

/** Every change was invalidated, and every invalidation carried out: what is still there must be the newest. */
function stuck(answers, source) {
  return answers.flatMap(({ found }, actor) =>
    Object.entries(found).flatMap(([key, versions]) => {
      const newest = source.versionsOf([key])[key];
      return versions
        .filter((version) => version !== 0 && version !== newest)
        .map((version) => `actor ${actor} is stuck at version ${version} of ${key}, which is at ${newest}`);
    }),
  );
}

module.exports = { runHistory };
