'use strict';
// One of those who use the cache in a history: random operations by a seed, and a record of what each saw, and when.
// Runs in a process or in a worker thread; `link` leads to the parent, which has the source of truth.
//
// Records, times in ms of CLOCK_MONOTONIC, which all processes share:
//   ['read', key, start, end, version, how]      version 0: nothing; how: 'get', 'peek', 'hit' or 'loaded'
//   ['write', { key: version }, start, end, ok, what]  an invalidation after these commits, or a set() of the one
//   ['set', key, version, start, end, ok]              besides its 'write'
//   ['sync', start, end]                               a PING of the cache's own connection, answered
//   ['closed', at]  ['settled', at]                    the connection was lost; nothing is pending any more

const { createCache } = require('../../../lib');
const { RandomValues } = require('../random-value');
const { delay } = require('../until');
const { Trace, isTracing, traceInternals } = require('./trace');

const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Keys of the cache itself, and of a namespace of it: 'sub/x'. */
const KEYS = ['a1', 'a2', 'b1', 'sub/a1', 'sub/b2'];
const TAGS = { one: ['a1', 'b1', 'sub/a1'], two: ['a2', 'sub/b2'] };
const FIBERS = 4;

const tagsOf = (key) => Object.keys(TAGS).filter((tag) => TAGS[tag].includes(key));
const isIn = (prefix) => KEYS.filter((key) => key.startsWith(prefix));

/** The value of another key is never right. */
function versionOf(key, value) {
  if (value === undefined) return 0;
  return value.key === key ? value.version : `${value.version} of ${value.key}`;
}

class Actor {
  #link;
  #cache;
  #sub;
  #random;
  #records = [];
  #running = false;
  #fibers = [];
  #asked = new Map();
  #lastAsked = 0;
  #trace = isTracing() ? new Trace() : undefined;

  /** @param {{ send: (message: any) => void }} link */
  constructor(link) {
    this.#link = link;
  }

  /** @param {any} message of the parent */
  async handle({ type, ...message }) {
    if (type === 'answer') return this.#asked.get(message.id)?.(message);
    const answer = { open: () => this.#open(message), start: () => this.#start(), flush: () => this.#flush() };
    const more = { stop: () => this.#stop(), quiet: () => this.#quiet(), close: () => this.#cache.close() };
    const trace = () => this.#trace?.between(message.key, message.from, message.to) ?? [];
    const result = await { ...answer, ...more, trace }[type]();
    this.#link.send({ type: 'done', result });
  }

  async #open({ seed, options }) {
    this.#random = new RandomValues(seed);
    this.#cache = createCache(options);
    this.#sub = this.#cache.namespace('sub');
    if (this.#trace !== undefined) {
      const introduce = traceInternals(this.#trace);
      introduce(this.#cache, '');
      introduce(this.#sub, 'sub/');
    }
    this.#cache.on('redis:close', () => this.#record(['closed', now()]));
    for (const cache of [this.#cache, this.#sub]) {
      cache.on('cache:replayed', () => {
        if (this.#pending() === 0) this.#record(['settled', now()]);
      });
    }
  }

  #pending() {
    return this.#cache.stats().pendingInvalidations + this.#sub.stats().pendingInvalidations;
  }

  #start() {
    this.#running = true;
    const loop = async (step) => {
      while (this.#running) await step();
    };
    this.#fibers = Array.from({ length: FIBERS }, () => loop(() => this.#step()));
    this.#fibers.push(
      loop(async () => {
        await this.#sync();
        await delay(2);
      }),
    );
  }

  async #stop() {
    this.#running = false;
    await Promise.all(this.#fibers);
  }

  /** @param {any[]} record */
  #record(record) {
    this.#records.push(record);
    if (this.#trace === undefined) return;
    const [kind, about] = record;
    this.#trace.add(
      kind === 'read' || kind === 'set' ? about : '',
      record.map((part) => JSON.stringify(part)).join(' '),
    );
  }

  #flush() {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** What every key is once nothing happens any more. */
  async #quiet() {
    await this.#sync();
    const found = {};
    for (const key of KEYS) found[key] = [await this.#read(key, 'get'), await this.#read(key, 'getOrSet')];
    return { pending: this.#pending(), found };
  }

  async #sync() {
    const start = now();
    if ((await this.#cache.health()).redis === 'ok') this.#record(['sync', start, now()]);
    else await delay(5);
  }

  async #step() {
    const random = this.#random;
    const key = random.pick(KEYS);
    const dice = random.random();
    if (dice < 0.86) {
      await this.#read(key, random.random() < 0.5 ? 'get' : 'getOrSet');
      this.#peek(key);
    } else if (dice < 0.9) {
      await this.#set(key);
    } else {
      await this.#invalidate(random.below(8), key);
    }
    if (random.random() < 0.3) await delay(random.below(4));
  }

  #split(key) {
    return key.startsWith('sub/') ? [this.#sub, key.slice(4)] : [this.#cache, key];
  }

  #peek(key) {
    const [cache, name] = this.#split(key);
    const start = now();
    const value = cache.peek(name);
    if (value !== undefined) this.#record(['read', key, start, now(), versionOf(key, value), 'peek']);
  }

  async #read(key, how) {
    const [cache, name] = this.#split(key);
    const pauses = [this.#pause(), this.#pause()];
    let loaded = false;
    const load = async () => {
      loaded = true;
      this.#trace?.add(key, 'load begins');
      await pauses[0]();
      const { versions } = await this.#ask('read', [key]);
      this.#trace?.add(key, `load has read ${versions[key]}`);
      await pauses[1]();
      return { key, version: versions[key] };
    };
    const start = now();
    this.#trace?.add(key, `read ${how} begins`);
    const value = await (how === 'get' ? cache.get(name) : cache.getOrSet(name, load, { tags: tagsOf(key) }));
    const version = versionOf(key, value);
    this.#record(['read', key, start, now(), version, how === 'get' ? how : loaded ? 'loaded' : 'hit']);
    return version;
  }

  #pause() {
    const random = this.#random;
    const ms = random.random() < 0.2 ? random.below(25) : 0;
    return ms === 0 ? async () => {} : () => delay(ms);
  }

  // What is in the source and what is set() for it have to be in the same order: the source is locked meanwhile, as an
  // application has to do. Without that, an old value that is set late would be the application's own doing.
  async #set(key) {
    const [cache, name] = this.#split(key);
    const { versions } = await this.#ask('lock', [key]);
    const version = versions[key];
    const start = now();
    this.#trace?.add(key, `set of ${version} begins`);
    const ok = await cache.set(name, { key, version }, { tags: tagsOf(key) });
    const end = now();
    this.#record(['write', { [key]: version }, start, end, ok, 'set']);
    this.#record(['set', key, version, start, end, ok]);
    this.#link.send({ type: 'unlock', keys: [key] });
  }

  async #invalidate(kind, key) {
    const [cache, name] = this.#split(key);
    const tag = this.#random.pick(Object.keys(TAGS));
    const [what, keys, work] = [
      ['delete', [key], () => cache.delete(name)],
      ['delete', [key], () => cache.delete(name)],
      ['soft delete', [key], () => cache.delete(name, { soft: true })],
      ['deleteMany', [key], () => cache.deleteMany([name])],
      ['tag', TAGS[tag], () => this.#cache.invalidateTag(tag)],
      ['pattern', isIn('a'), () => this.#cache.invalidatePattern('a*')],
      ['clear', KEYS, () => this.#cache.clear()],
      ['clear of a namespace', isIn('sub/'), () => this.#sub.clear()],
    ][kind];
    const { versions } = await this.#ask('commit', keys);
    const start = now();
    this.#trace?.add('', `${what} of ${JSON.stringify(versions)} begins`);
    const ok = await work().then(
      () => true,
      (error) => {
        if (error.code !== 'CACHE_UNAVAILABLE') throw error;
        return false;
      },
    );
    this.#record(['write', versions, start, now(), ok, what]);
  }

  /** Of the source of truth. */
  #ask(type, keys) {
    const id = ++this.#lastAsked;
    return new Promise((resolve) => {
      this.#asked.set(id, (answer) => {
        this.#asked.delete(id);
        resolve(answer);
      });
      this.#link.send({ type, id, keys });
    });
  }
}

module.exports = { Actor, KEYS, now };
