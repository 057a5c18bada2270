'use strict';
// Every key of a namespace with its value: by SCAN where there is Redis, else from memory.
const { entriesIn: snapshotEntries } = require('../store/snapshot');
const { escapePattern } = require('../keys/glob');
const { pagesOfKeys } = require('../redis/scan');
const { storeOf } = require('../store/store');

const AT_ONCE = 500;

/** @typedef {import('../cache/cache').CacheInstance} Cache */

/**
 * @param {Cache} cache
 * @returns {AsyncGenerator<string[], void>} pages of keys; as with SCAN, one may come twice
 */
async function* keysOf(cache) {
  const { tiers, prefix } = storeOf(cache);
  if (tiers.client !== undefined) {
    for await (const keys of pagesOfKeys(tiers.client, `${escapePattern(prefix)}*`, AT_ONCE)) {
      yield keys.map((key) => key.slice(prefix.length));
    }
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
  for await (const keys of keysOf(cache)) {
    const values = await cache.getMany(keys);
    for (const [index, key] of keys.entries()) {
      // It has expired, or is being loaded: nothing to show.
      if (values[index] !== undefined) yield [key, values[index]];
    }
  }
}

module.exports = { entriesIn };
