'use strict';
// Two processes behind one Redis: each serves what the other has stored, variants included, and nobody the page of
// somebody else, least of all when many ask a process at once that has nothing in its memory yet.
const { Agent, endAgents } = require('../helpers/agents');
const { request } = require('../helpers/http');
const { together } = require('../helpers/http-together');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');

/** @type {any} */
let redis;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterEach(endAgents);
afterAll(() => redis.stop());

/**
 * A process with a site.
 * @param {string} mount
 * @param {string} namespace
 * @param {object} [memory]
 */
async function start(mount, namespace, memory) {
  const agent = await Agent.process({ redis: redis.url, namespace, ...memory });
  const port = await agent.run(async ({ cache, state }, kind) => {
    const load = (/** @type {string} */ name) => process.mainModule?.require(name);
    const { cacheResponse } = load('../../lib/http');
    const { createServer } = load('node:http');
    state.runs = 0;
    const handler = (/** @type {any} */ req, /** @type {any} */ res) => {
      state.runs++;
      const user = req.headers['x-user'];
      res.setHeader('Cache-Control', user ? 'private, max-age=60' : 'public, max-age=60');
      res.setHeader('Vary', 'X-Lang');
      const body = `${process.pid} ${user ?? 'nobody'} ${req.headers['x-lang']} ${req.headers['x-forwarded-host'] ?? 'us'}`;
      setTimeout(() => res.end(body), 100);
    };
    const options = { cache, warnings: false, identity: (/** @type {any} */ req) => req.headers['x-user'] };
    const express = load('express');
    const listener =
      kind === 'in front' ? cacheResponse.front(handler, options) : express().use(cacheResponse(options)).use(handler);
    const server = createServer(listener);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return server.address().port;
  }, mount);
  return {
    agent,
    get: (/** @type {string} */ path, headers = {}, more = {}) =>
      request({ port }, path, { headers: { host: 'site.example', ...headers }, ...more }),
    runs: () => agent.run(({ state }) => state.runs),
  };
}

const PEOPLE = ['alice', 'bob', 'carol', undefined].flatMap((user) =>
  ['de', 'en'].flatMap((lang) =>
    [undefined, 'evil.example'].map((forwarded) => ({
      text: `${user ?? 'nobody'} ${lang} ${forwarded ?? 'us'}`,
      headers: { ...(user && { 'x-user': user }), 'x-lang': lang, ...(forwarded && { 'x-forwarded-host': forwarded }) },
    })),
  ),
);

/** @type {Array<[mount: string, tiers: string, memory: object]>} */
const PLACES = [
  ['in front', 'with memory', {}],
  ['in front', 'without memory', { memory: false }],
  ['as middleware', 'with memory', {}],
  ['as middleware', 'without memory', { memory: false }],
];

/**
 * @param {string} name
 * @param {(mount: string, memory: object) => Promise<void>} body
 */
function testEverywhere(name, body) {
  test(name, () => together(PLACES, ([mount, , memory]) => body(mount, memory)));
}

testEverywhere(
  'what one has stored the other serves: every variant, to whom it belongs, and all at once',
  async (mount, memory) => {
    const namespace = ownNamespace();
    const first = await start(mount, namespace, memory);
    // Twice: the first who sends a field by which pages are told apart makes those go that did not know of it.
    for (const { headers } of [...PEOPLE, ...PEOPLE]) {
      await until('a hit', async () => (await first.get('/', headers)).cacheStatus.includes('; hit'));
    }
    // Its memory is empty, and everybody comes in the same moment.
    const second = await start(mount, namespace, memory);
    const crowd = [...PEOPLE, ...PEOPLE, ...PEOPLE].sort((a, b) => (a.text.length % 3) - (b.text.length % 3));
    const answers = await Promise.all(crowd.map(({ headers }) => second.get('/', headers)));
    answers.forEach(({ body }, at) => expect(body).toBe(`${first.agent.pid} ${crowd[at].text}`));
    expect(await second.runs()).toBe(0);
    for (const { headers, text } of PEOPLE) {
      const answer = await second.get('/', headers);
      expect(answer.body).toBe(`${first.agent.pid} ${text}`);
      expect(answer.cacheStatus).toMatch(/^tiercel; hit; ttl=5\d; detail=(memory|redis)$/);
    }
  },
);

testEverywhere(
  'a crowd before both: one handler runs for each page, and everyone gets their own',
  async (mount, memory) => {
    const namespace = ownNamespace();
    const sites = await Promise.all([start(mount, namespace, memory), start(mount, namespace, memory)]);
    const plain = { 'x-lang': 'de' };
    const same = await Promise.all(Array.from({ length: 60 }, (_, at) => sites[at % 2].get('/same', plain)));
    expect(new Set(same.map(({ body }) => body)).size).toBe(1);
    expect((await sites[0].runs()) + (await sites[1].runs())).toBe(1);
    const crowd = [...PEOPLE, ...PEOPLE];
    const answers = await Promise.all(crowd.map(({ headers }, at) => sites[(at >> 1) % 2].get('/each', headers)));
    answers.forEach(({ body }, at) => expect(body).toMatch(new RegExp(`^\\d+ ${crowd[at].text}$`)));
  },
);

testEverywhere('a change that one has seen makes every variant of the other go', async (mount, memory) => {
  const namespace = ownNamespace();
  const sites = await Promise.all([start(mount, namespace, memory), start(mount, namespace, memory)]);
  const asked = [{ 'x-lang': 'de' }, { 'x-lang': 'en' }, { 'x-lang': 'de', 'x-user': 'alice' }];
  for (const headers of asked) {
    for (const site of sites) {
      await until('a hit', async () => (await site.get('/', headers)).cacheStatus.includes('; hit'));
    }
  }
  const before = (await sites[0].runs()) + (await sites[1].runs());
  await sites[0].get('/', {}, { method: 'DELETE' });
  // The push that says so is on its way when the answer is.
  await until('it has gone', async () => !(await sites[1].get('/', asked[0])).cacheStatus.includes('; hit'));
  for (const headers of asked.slice(1)) expect((await sites[1].get('/', headers)).cacheStatus).not.toContain('; hit');
  expect((await sites[0].runs()) + (await sites[1].runs())).toBe(before + 1 + asked.length);
});
