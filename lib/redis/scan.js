'use strict';
// SCAN and its kin as async iterators. As with the commands: what was there all the time comes at least once, and
// something may come twice.
const { invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { number } = require('./replies');

/** @typedef {{ _run: (command: import('./command-methods').Command) => Promise<any> }} Runner */

/**
 * @param {unknown} given
 * @param {string[]} known
 */
function optionWords(given, known) {
  const { match, count, type } = knownOptions(given ?? {}, 'options', known);
  const words = [];
  if (match !== undefined) {
    if (typeof match !== 'string') throw invalid('options.match', 'a glob pattern', match);
    words.push('MATCH', match);
  }
  if (count !== undefined) {
    if (!Number.isInteger(count) || count < 1) throw invalid('options.count', 'a positive whole number', count);
    words.push('COUNT', count);
  }
  if (type !== undefined) {
    if (typeof type !== 'string') throw invalid('options.type', 'the name of a type', type);
    words.push('TYPE', type);
  }
  return words;
}

/**
 * The pages of a scan.
 * @param {Runner} client
 * @param {string} name
 * @param {readonly any[]} before the cursor
 * @param {readonly any[]} after it
 */
async function* pages(client, name, before, after) {
  let cursor = '0';
  do {
    const args = [name, ...before, cursor, ...after];
    const [next, items] = await client._run({ number: -1, name, args, transform: undefined, endless: false });
    cursor = String(next);
    yield items;
  } while (cursor !== '0');
}

/**
 * The keys that match, page by page; one may come twice.
 * @param {Runner} runner
 * @param {string} match a glob pattern
 * @param {number} count a hint of how many the server looks at in one step
 * @returns {AsyncGenerator<string[]>}
 */
function pagesOfKeys(runner, match, count) {
  return pages(runner, 'SCAN', [], ['MATCH', match, 'COUNT', count]);
}

/**
 * @param {Runner} client
 * @param {{ match?: string, count?: number, type?: string }} [options]
 * @returns {AsyncGenerator<any>} keys
 */
function scan(client, options) {
  const words = optionWords(options, ['match', 'count', 'type']);
  return (async function* () {
    for await (const page of pages(client, 'SCAN', [], words)) yield* page;
  })();
}

/**
 * @param {Runner} client
 * @param {'SSCAN' | 'HSCAN' | 'ZSCAN'} name
 * @param {any} key
 * @param {{ match?: string, count?: number }} [options]
 * @returns {AsyncGenerator<any>} members; [field, value]; { member, score }
 */
function scanKey(client, name, key, options) {
  const words = optionWords(options, ['match', 'count']);
  return (async function* () {
    for await (const page of pages(client, name, [key], words)) {
      if (name === 'SSCAN') {
        yield* page;
        continue;
      }
      for (let i = 0; i < page.length; i += 2) {
        yield name === 'HSCAN' ? [page[i], page[i + 1]] : { member: page[i], score: number(page[i + 1]) };
      }
    }
  })();
}

module.exports = { pagesOfKeys, scan, scanKey };
