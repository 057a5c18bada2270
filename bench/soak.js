'use strict';
// npm run soak -- [--minutes 10]: mixed load on a client and a cache while their server goes away every 20 seconds, by
// SIGKILL and gracefully in turn. Every value says whose it is and which write it came from: a wrong answer ends the run
// with exit code 1, and so does memory that keeps growing.

const { setTimeout: delay } = require('node:timers/promises');
const { parseArgs } = require('node:util');
const { createCache, createRedis } = require('..');
const { RedisServer } = require('../test/helpers/redis-server');

const LANES = 32;
const KEYS_PER_LANE = 16;
const CACHE_KEYS = 500;
const SIZES = [60, 60, 60, 60, 600, 600, 6_000, 60_000, 400_000];
const RESTART_EVERY_MS = 20_000;
const DOWN_MS = 1_500;
const SAMPLE_MS = 1_000;
const WARM_UP_SHARE = 0.25;
const MAX_GROWTH = 0.1; // of the mean RSS, over the whole run

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const below = (limit) => Math.floor(Math.random() * limit);

/** What one run has seen. */
class Tally {
  operations = 0;
  restarts = 0;
  hits = 0;
  wrong = [];
  errors = new Map();

  failed(error) {
    const code = error.code ?? error.name;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    // A client that is told of a failure waits before it asks again, as any would.
    return delay(20);
  }

  expect(right, message) {
    if (!right && this.wrong.length < 20) this.wrong.push(message);
  }
}

/** `key|version|length|xxx…|version`: cut, mixed or foreign bytes cannot look like it. */
function valueOf(key, version, size) {
  const head = `${key}|${version}|`;
  return `${head.padEnd(size, String.fromCharCode(97 + (version % 26)))}|${head.length}|${version}`;
}

function parse(key, value) {
  const [name, version] = value.split('|', 2);
  const size = value.length - `|${key.length + version.length + 2}|${version}`.length;
  return name === key && valueOf(key, Number(version), size) === value ? Number(version) : undefined;
}

/** Works on keys of its own, so that it knows what each must hold. */
class Lane {
  #keys;
  #count = { key: '', sent: 0, last: 0, restarts: 0 };

  constructor(id, client, cache, tally) {
    this.client = client;
    this.cache = cache;
    this.tally = tally;
    this.#keys = Array.from({ length: KEYS_PER_LANE }, (_, i) => ({
      key: `soak:${id}:${i}`,
      sent: 0,
      stored: 0,
      restarts: -1,
    }));
    this.#count.key = `soak:${id}:count`;
  }

  async run(isOver) {
    const works = [this.get, this.get, this.get, this.set, this.set, this.mget, this.incr, this.pipeline, this.load];
    while (!isOver()) {
      try {
        await pick(works).call(this);
        this.tally.operations++;
      } catch (error) {
        await this.tally.failed(error);
      }
    }
  }

  async get() {
    const entry = pick(this.#keys);
    this.#check(entry, await this.client.get(entry.key));
  }

  async set() {
    const entry = pick(this.#keys);
    const { value, stored } = this.#write(entry);
    this.tally.expect((await this.client.set(entry.key, value)) === 'OK', `SET ${entry.key}`);
    stored();
  }

  async mget() {
    const entries = this.#keys.filter(() => Math.random() < 0.5);
    if (entries.length === 0) return;
    const values = await this.client.mget(...entries.map(({ key }) => key));
    this.tally.expect(values.length === entries.length, `MGET: ${values.length} values for ${entries.length} keys`);
    entries.forEach((entry, i) => this.#check(entry, values[i]));
  }

  async incr() {
    const expects = this.#increment();
    expects(await this.client.incr(this.#count.key));
  }

  async pipeline() {
    const [first, second] = [pick(this.#keys), pick(this.#keys)];
    const { value, stored } = this.#write(first);
    const expects = this.#increment();
    const pipeline = this.client.pipeline();
    pipeline.set(first.key, value).get(first.key).incr(this.#count.key).get(second.key);
    const results = await pipeline.exec();
    this.tally.expect(results.length === 4, `pipeline: ${results.length} results`);
    const failure = results.find((result) => result instanceof Error);
    if (failure) throw failure;
    stored();
    this.#check(first, results[1]);
    expects(results[2]);
    this.#check(second, results[3]);
  }

  async load() {
    const key = `item:${below(CACHE_KEYS)}`;
    let loaded = false;
    const load = async () => {
      loaded = true;
      if (Math.random() < 0.1) await delay(5);
      return { key, items: Array.from({ length: below(40) }, (_, i) => ({ key, i })) };
    };
    const value = await this.cache.getOrSet(key, load, '2s');
    if (!loaded) this.tally.hits++;
    this.tally.expect(value.key === key && value.items.every((item) => item.key === key), `getOrSet ${key}`);
  }

  #write(entry) {
    const version = ++entry.sent;
    const { restarts } = this.tally;
    return {
      value: valueOf(entry.key, version, pick(SIZES)),
      stored: () => {
        entry.stored = version;
        entry.restarts = restarts;
      },
    };
  }

  /** A value is one that was written here, none older than the last that was acknowledged; none only after a restart. */
  #check(entry, value) {
    const { key, sent, stored, restarts } = entry;
    if (value === null) {
      this.tally.expect(stored === 0 || restarts !== this.tally.restarts, `${key}: lost version ${stored}`);
      return;
    }
    const version = typeof value === 'string' ? parse(key, value) : undefined;
    const isOurs = version !== undefined && version <= sent;
    const isRecent = restarts !== this.tally.restarts || version >= stored;
    this.tally.expect(isOurs && isRecent, `${key}: ${String(value).slice(0, 80)}, expected ${stored} to ${sent}`);
  }

  #increment() {
    const count = this.#count;
    const { restarts } = this.tally;
    count.sent++;
    return (result) => {
      const low = restarts === this.tally.restarts && restarts === count.restarts ? count.last : 0;
      this.tally.expect(result > low && result <= count.sent, `${count.key}: ${result} after ${low}`);
      count.last = result;
      count.restarts = restarts;
    };
  }
}

async function restartNowAndThen(server, tally, isOver) {
  for (let hard = true; ; hard = !hard) {
    for (let waited = 0; waited < RESTART_EVERY_MS - DOWN_MS; waited += 100) {
      await delay(100);
      if (isOver()) return;
    }
    tally.restarts++;
    if (hard) await server.kill();
    else process.kill(server.pid, 'SIGTERM');
    await delay(DOWN_MS);
    await server.restart();
    tally.restarts++; // what was acknowledged in between is gone as well
  }
}

async function sampleMemory(isOver, report) {
  const samples = [];
  for (let at = 0; !isOver(); at++) {
    const { rss } = process.memoryUsage();
    samples.push(rss / 2 ** 20);
    if (at % 15 === 0) report(rss);
    await delay(SAMPLE_MS);
  }
  return samples;
}

/** The line through the samples after the warm-up: its rise per minute, and over all of it. */
function slope(samples) {
  const kept = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const middle = (kept.length - 1) / 2;
  let [up, across] = [0, 0];
  kept.forEach((value, i) => {
    up += (i - middle) * (value - mean);
    across += (i - middle) ** 2;
  });
  const perSample = across === 0 ? 0 : up / across;
  return { mean, perMinute: (perSample * 60_000) / SAMPLE_MS, growth: perSample * kept.length };
}

function minutesFrom(args) {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '10' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  return minutes;
}

async function main() {
  const minutes = minutesFrom(process.argv.slice(2));
  const server = await RedisServer.start();
  const client = createRedis(server.url);
  const cache = createCache({ redis: server.url, namespace: 'soak' });
  const tally = new Tally();
  const began = performance.now();
  const isOver = () => performance.now() - began > minutes * 60_000 || tally.wrong.length > 0;
  const elapsed = () => Math.round((performance.now() - began) / 1000);
  const report = (rss) =>
    console.log(
      `${elapsed()} s: ${tally.operations} operations, ${tally.restarts >> 1} restarts, RSS ${(rss / 2 ** 20).toFixed(1)} MB`,
    );

  const lanes = Array.from({ length: LANES }, (_, id) => new Lane(id, client, cache, tally));
  const [samples] = await Promise.all([
    sampleMemory(isOver, report),
    restartNowAndThen(server, tally, isOver),
    ...lanes.map((lane) => lane.run(isOver)),
  ]);
  const { connects, losses, timeouts, waiting } = client.stats();
  await Promise.all([client.close(), cache.close()]);
  await server.stop();

  const memory = slope(samples);
  const grows = memory.growth > memory.mean * MAX_GROWTH;
  const errors = [...tally.errors].map(([code, count]) => `${code} ${count}`).join(', ') || 'none';
  console.log(`
Node ${process.version}, ${elapsed()} s, ${tally.restarts >> 1} restarts of the server
operations  ${tally.operations} (${Math.round(tally.operations / elapsed())}/s), getOrSet hits ${tally.hits}
errors      ${errors}
client      connects ${connects}, losses ${losses}, timeouts ${timeouts}, waiting at the end ${waiting}
RSS         mean ${memory.mean.toFixed(1)} MB, ${memory.perMinute.toFixed(2)} MB/min, ${memory.growth.toFixed(1)} MB in all: ${grows ? 'GROWS' : 'flat'}
wrong       ${tally.wrong.length}`);
  for (const message of tally.wrong) console.error(message);
  if (tally.wrong.length > 0 || grows) process.exitCode = 1;
}

main();
