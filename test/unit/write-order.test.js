'use strict';
// What a write must not overtake when it is made once more.
const { WriteOrder, acquireWriteOrder, releaseWriteOrder } = require('../../lib/store/write-order');

let order;
beforeEach(() => (order = new WriteOrder()));
const TAGS = ['n', 'n:t:a'];

test.each([
  ['nothing', () => {}, false],
  ['a newer write of the key', () => order.begin('k'), true],
  ['a newer write of the key that has ended', () => (order.begin('k'), order.end('k')), true],
  ['a write of another key', () => order.begin('other'), false],
  ['the removal of the key', () => order.removed('k'), true],
  ['the removal of another key', () => order.removed('other'), false],
  ['the invalidation of a tag of it', () => order.invalidated(['x', 'n:t:a']), true],
  ['the invalidation of its namespace', () => order.invalidated(['n']), true],
  ['the invalidation of another tag', () => order.invalidated(['n:t:b']), false],
  ['a removal by pattern', () => order.removedSome(), true],
  ['the invalidation of very many tags', () => order.invalidated(Array.from({ length: 2000 }, (_, i) => `${i}`)), true],
])('behind a write: %s', (_name, change, overtaken) => {
  const number = order.begin('k');
  change();
  expect(order.isOvertaken(number, 'k', TAGS)).toBe(overtaken);
});

test('what came before a write does not count', () => {
  order.begin('elsewhere');
  order.begin('k');
  order.removed('k');
  order.invalidated(TAGS);
  order.removedSome();
  const number = order.begin('k');
  expect(order.isOvertaken(number, 'k', TAGS)).toBe(false);
});

test('of two writes under way, the older is overtaken and the newer is not, whichever ends first', () => {
  const [older, newer] = [order.begin('k'), order.begin('k')];
  expect([order.isOvertaken(older, 'k', TAGS), order.isOvertaken(newer, 'k', TAGS)]).toEqual([true, false]);
  order.end('k');
  expect([order.isOvertaken(older, 'k', TAGS), order.isOvertaken(newer, 'k', TAGS)]).toEqual([true, false]);
});

test('stores with one name have one order, as long as one of them is open', () => {
  const first = acquireWriteOrder('server prefix');
  expect(acquireWriteOrder('server prefix')).toBe(first);
  const another = acquireWriteOrder('server other');
  expect(another).not.toBe(first);
  releaseWriteOrder('server other');
  releaseWriteOrder('server prefix');
  expect(acquireWriteOrder('server prefix')).toBe(first);
  releaseWriteOrder('server prefix');
  releaseWriteOrder('server prefix');
  const next = acquireWriteOrder('server prefix');
  expect(next).not.toBe(first);
  releaseWriteOrder('server prefix');
});
