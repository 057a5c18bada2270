'use strict';
// Many large replies come at once, and each costs the caller a while: how many others have their turn in between.
const { delay } = require('./until');

const REPLIES = 24;
const COST_MS = 12;

/**
 * @param {import('../../types').RedisClient} client
 * @returns {Promise<number>} turns of the loop from the first reply to the last; one for each, or nearly so, is right
 */
async function turnsBetweenReplies(client) {
  await client.set('slice', 'x'.repeat(64 * 1024));
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  let first;
  const replies = Array.from({ length: REPLIES }, () =>
    client.get('slice').then(() => {
      first ??= turns;
      const until = performance.now() + COST_MS;
      while (performance.now() < until);
    }),
  );
  setImmediate(count);
  // They leave, and while the loop stands still all of them arrive.
  await delay(0);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await Promise.all(replies);
  counting = false;
  return turns - first;
}

module.exports = { turnsBetweenReplies, REPLIES };
