'use strict';
// What happens to Redis and to the network during a history, by its seed.

const { delay } = require('../until');

/** How long one lasts at most, in ms. */
const LONGEST = 900;

/** Each: how likely, and what; it gives back how it ends. */
const FAULTS = [
  [4, 'nothing', () => {}],
  [3, 'slow', ({ proxy, random }) => proxy.delay(1 + random.below(40))],
  [2, 'slower than the timeout', ({ proxy }) => proxy.delay(150)],
  [3, 'reset', ({ proxy }) => proxy.reset()],
  [2, 'closed', ({ proxy }) => proxy.drop()],
  [3, 'cut in the middle', ({ proxy, random }) => proxy.cut(random.pick(['toServer', 'toClient']), random.below(2000))],
  [3, 'half-open', ({ proxy }) => proxy.swallow()],
  [2, 'half-open for a moment', ({ proxy, random }) => (proxy.swallow(), delay(random.below(60)))],
  [2, 'stalled', ({ proxy }) => proxy.pause()],
  [2, 'refused', ({ proxy }) => (proxy.refuse(), proxy.reset())],
  [2, 'everybody is reset', ({ proxies }) => proxies.forEach((each) => each.reset())],
  [2, 'frozen', ({ server }) => (server.pause(), () => server.resume())],
  [1, 'killed', async ({ server }) => (await server.kill(), () => server.restart())],
  [1, 'restarted at once', ({ server }) => server.restart()],
  [1, 'flushed', ({ admin }) => admin.call('FLUSHALL').catch(() => {})],
];
const CHOICES = FAULTS.flatMap((fault) => Array(fault[0]).fill(fault));

/**
 * One fault, from its beginning to its end.
 * @param {object} parts
 * @param {import('../redis-server').RedisServer} parts.server
 * @param {import('../fault-proxy').FaultProxy[]} parts.proxies
 * @param {any} parts.admin a client of the server itself
 * @param {import('../random-value').RandomValues} parts.random
 * @returns {Promise<string>} its name
 */
async function oneFault({ server, proxies, admin, random }) {
  const proxy = random.pick(proxies);
  const [, name, begin] = random.pick(CHOICES);
  const lasts = random.below(LONGEST);
  const end = await begin({ server, proxy, proxies, admin, random });
  await delay(lasts);
  if (typeof end === 'function') await end();
  for (const each of proxies) each.pass();
  await delay(random.below(300));
  return name;
}

module.exports = { oneFault };
