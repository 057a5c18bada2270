'use strict';
// What becomes of an answer to a batch that does not fit.
const { BatchReader } = require('../../lib/cache/batch-read');

const codec = { name: 'json', custom: false };
const read = async (answer, keys = ['a', 'b', 'c']) => {
  const counters = { redisHits: 0, misses: 0 };
  const tiers = {
    counters,
    readMany: async () => answer,
    failed: (error) => {
      throw error;
    },
  };
  const misses = [];
  const values = await new BatchReader(tiers, codec, false).read(keys, {
    fetch: async (key) => `read ${key}`,
    onHit: undefined,
    onMiss: (key) => misses.push(key),
  });
  return { values, misses, hits: counters.redisHits };
};

test('hits, misses, and what is read by itself', async () => {
  expect(await read(['[1]', 'hma'])).toEqual({ values: [1, undefined, 'read c'], misses: ['b'], hits: 1 });
  expect(await read(['[]', 'mmm'])).toEqual({
    values: [undefined, undefined, undefined],
    misses: ['a', 'b', 'c'],
    hits: 0,
  });
});

test.each([
  ['no JSON', '[1,oops,3]'],
  ['one value too few', '[1,2]'],
  ['one value too many', '[1,2,3,4]'],
])('%s: each is read by itself', async (_name, text) => {
  expect(await read([text, 'hhh'])).toEqual({ values: ['read a', 'read b', 'read c'], misses: [], hits: 0 });
});

test('no batch for one key', async () => {
  expect((await read(['[1]', 'h'], ['a'])).values).toEqual(['read a']);
});
