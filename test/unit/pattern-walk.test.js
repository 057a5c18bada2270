'use strict';
// One pattern that is being carried out: which keys it concerns, what it counts, and what becomes of a removal that fails.
const { PatternWalk } = require('../../lib/store/pattern-walk');

test('a key is removed once, whoever asks for it', async () => {
  const removed = [];
  const walk = new PatternWalk('user:*', async (key) => removed.push(key) > 0);
  expect([walk.spares, walk.concerns('user:1'), walk.concerns('other')]).toEqual([false, true, false]);
  walk.reachEarly('user:1');
  walk.reachEarly('other');
  expect(removed).toEqual(['user:1']); // in this turn
  expect([walk.spares, walk.concerns('user:1'), walk.concerns('user:2')]).toEqual([true, false, true]);
  await Promise.all([walk.reach('user:1'), walk.reach('user:2')]);
  walk.reachEarly('user:2');
  await walk.end();
  expect([removed, walk.removed]).toEqual([['user:1', 'user:2'], 2]);
});

test('a key that was not there is not counted', async () => {
  const walk = new PatternWalk('*', async () => false);
  await walk.reach('a');
  expect(walk.removed).toBe(0);
});

test('a removal that fails is the error of the pattern, and the key still has to be removed', async () => {
  let fails = true;
  const walk = new PatternWalk('*', async () => {
    if (fails) throw new Error('not acknowledged');
    return true;
  });
  walk.reachEarly('a');
  await expect(walk.reach('b')).rejects.toThrow('not acknowledged');
  await expect(walk.end()).rejects.toThrow('not acknowledged');
  expect([walk.concerns('a'), walk.concerns('b')]).toEqual([true, true]);
  fails = false;
  await walk.reach('a');
  expect([walk.concerns('a'), walk.removed]).toEqual([false, 1]);
});
