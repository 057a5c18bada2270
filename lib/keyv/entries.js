'use strict';
// Every key of a namespace with its value: by SCAN where there is Redis, else from memory.
const { entriesIn: snapshotEntries } = require('../store/snapshot');
const { escapePattern } = require('../keys/glob');
const { storeOf } = require('../store/store');

const AT_ONCE = 500;

/** @typedef {import('../cache/cache').CacheInstance} Cache */

/**
 * @param {Cache} cache
 * @returns {AsyncGenerator<string[], void>} pages of keys; as with SCAN, one may come twice
 */
async function* pagesOfKeys(cache) {
  const { tiers, prefix } = storeOf(cache);
  if (tiers.client !== undefined) {
    const match = `${escapePattern(prefix)}*`;
    let cursor = '0';
    do {
      const [next, keys] = await tiers.client.call('SCAN', cursor, 'MATCH', match, 'COUNT', String(AT_ONCE));
      cursor = String(next);
      yield keys.map((/** @type {string} */ key) => key.slice(prefix.length));
    } while (cursor !== '0');
    return;
  }
  for await (const part of tiers.dump(false)) {
    const keys = [...snapshotEntries(part, 0)].map(([key]) => key);
    for (let i = 0; i < keys.length; i += AT_ONCE) yield keys.slice(i, i + AT_ONCE);
  }
}

/**
 * @param {Cache} cache
 * @returns {AsyncGenerator<[string, any], void>}
 */
async function* entriesIn(cache) {
  for await (const keys of pagesOfKeys(cache)) {
    const values = await cache.getMany(keys);
    for (const [index, key] of keys.entries()) {
      // It has expired, or is being loaded: nothing to show.
      if (values[index] !== undefined) yield [key, values[index]];
    }
  }
}

module.exports = { entriesIn };
