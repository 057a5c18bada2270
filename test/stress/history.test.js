'use strict';
// A random history of several processes and threads, with faults, and what nobody may have seen in it. Twenty seconds
// of it here, a minute in `npm test`; TIERCEL_HISTORY_SECONDS or `npm run check:history` for more. A failure prints the
// seed, and with TIERCEL_HISTORY_TRACE what everybody did with the key.

const { Checker } = require('../helpers/history/checker');
const { runHistory } = require('../helpers/history/run');

const SECONDS = Number(process.env.TIERCEL_HISTORY_SECONDS ?? 20);
// By itself: Jest would print where each line comes from.
const say = process.env.TIERCEL_HISTORY_TRACE ? (line) => process.stderr.write(`${line}\n`) : () => {};

test.each([
  ['whatever fails', false, SECONDS],
  ['where nothing fails, and nobody waits long', true, Math.ceil(SECONDS / 3)],
])(
  'nobody reads what was invalidated before, %s',
  async (_, quiet, seconds) => {
    const seed = Number(process.env.TIERCEL_HISTORY_SEED ?? 1 + (Date.now() % 1_000_000));
    const { wrong, checked, effective } = await runHistory({ seed, seconds, quiet, say });
    expect({ seed, wrong: wrong.slice(0, 20) }).toEqual({ seed, wrong: [] });
    // It was no walk through an empty cache.
    expect(checked).toBeGreaterThan(seconds * 50);
    expect(effective).toBeGreaterThan(seconds * 25);
  },
  (SECONDS + 60) * 1000,
);

describe('the checker', () => {
  const check = (...actors) => {
    const checker = new Checker({ processes: actors.map((_, index) => index), trust: 500 });
    actors.forEach((records, actor) => checker.add(actor, records));
    return checker.check();
  };
  const write = (start, end, version, ok = true) => ['write', { k: version }, start, end, ok, 'delete'];
  const read = (start, version, how = 'get') => ['read', 'k', start, start + 1, version, how];

  test('whoever invalidated reads nothing older from then on, acknowledged or not', () => {
    expect(check([write(10, 12, 2), read(13, 2), read(15, 0), read(17, 3)])).toEqual([]);
    expect(check([write(10, 12, 2), read(13, 1)])).toHaveLength(1);
    expect(check([write(10, 12, 2, false), read(13, 1)])).toHaveLength(1);
    expect(check([write(10, 12, 2), read(11, 1)])).toEqual([]);
  });

  test('somebody else may, until a PING that was begun later is answered', () => {
    const invalidation = [write(10, 12, 2)];
    expect(check(invalidation, [['sync', 11, 20], read(21, 1)])).toEqual([]);
    expect(check(invalidation, [['sync', 12, 20], read(19, 1)])).toEqual([]);
    expect(check(invalidation, [['sync', 12, 20], read(20, 1)])).toHaveLength(1);
  });

  test('or until its connection is lost, or for as long as a silent one is believed', () => {
    const invalidation = [write(10, 12, 2)];
    expect(check(invalidation, [['closed', 30], read(29, 1)])).toEqual([]);
    expect(check(invalidation, [['closed', 30], read(30, 1)])).toHaveLength(1);
    expect(check(invalidation, [['closed', 11], read(30, 1)])).toEqual([]);
    expect(check(invalidation, [read(511, 1)])).toEqual([]);
    expect(check(invalidation, [read(512, 1)])).toHaveLength(1);
  });

  test('what was not acknowledged is in force for others when it was carried out', () => {
    const invalidation = [write(10, 12, 2, false), ['settled', 100]];
    expect(check(invalidation, [['sync', 50, 51], ['sync', 90, 101], read(102, 1)])).toEqual([]);
    expect(check(invalidation, [['sync', 100, 101], read(102, 1)])).toHaveLength(1);
  });

  test('the very value of a set() that failed may come late', () => {
    const failed = [write(10, 12, 2, false), ['set', 'k', 2, 10, 12, false], ['settled', 100]];
    const newer = [write(20, 22, 3)];
    const reader = (start, version) => [['sync', 30, 31], ['sync', 100, 101], read(start, version)];
    expect(check(failed, newer, reader(50, 2))).toEqual([]);
    expect(check(failed, newer, reader(50, 1))).toHaveLength(1);
    expect(check(failed, newer, reader(101, 2))).toHaveLength(1);
  });

  test('nobody goes back, and no key has the value of another', () => {
    expect(check([read(10, 5), read(12, 4)])).toHaveLength(1);
    expect(check([read(10, 5), read(10.5, 4)])).toEqual([]);
    expect(check([read(10, 5, 'loaded'), read(12, 4)])).toEqual([]);
    expect(check([['read', 'k', 10, 11, '5 of l', 'get']])).toHaveLength(1);
  });
});
