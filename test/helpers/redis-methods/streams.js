'use strict';
// Streams.

const { plain } = require('./values');

const FIRST = ['1-1', plain({ a: '1' })];
const SECOND = ['2-1', plain({ b: '2', c: '' })];

module.exports = [
  ['xadd', ['s', '1-1', 'a', 1], '1-1'],
  ['xadd', ['s', '2-1', 'b', 2, 'c', ''], '2-1'],
  ['xadd', ['no', 'NOMKSTREAM', '*', 'a', 1], null],
  ['xadd', ['t', '*', 'a', 1], (id) => expect(id).toMatch(/^\d+-\d+$/)],
  ['xlen', ['s'], 2],
  ['xlen', ['no'], 0],
  ['xrange', ['s', '-', '+'], [FIRST, SECOND]],
  ['xrange', ['s', '-', '+', 'COUNT', 1], [FIRST]],
  ['xrange', ['no', '-', '+'], []],
  ['xrevrange', ['s', '+', '-'], [SECOND, FIRST]],
  ['xread', ['COUNT', 1, 'STREAMS', 's', 'no', 0, 0], plain({ s: [FIRST] })],
  ['xread', ['STREAMS', 's', '$'], null],
  ['xread', ['BLOCK', 10, 'STREAMS', 's', '$'], null],
  ['xgroupCreate', ['s', 'g', 0], 'OK'],
  ['xgroupCreate', ['new', 'g', '$', 'MKSTREAM'], 'OK'],
  ['xgroupCreateConsumer', ['s', 'g', 'idle'], true],
  ['xgroupCreateConsumer', ['s', 'g', 'idle'], false],
  ['xpending', ['s', 'g'], [0, null, null, []]],
  ['xpending', ['s', 'g', '-', '+', 10], []],
  ['xreadgroup', ['GROUP', 'g', 'me', 'STREAMS', 's', '>'], plain({ s: [FIRST, SECOND] })],
  ['xreadgroup', ['GROUP', 'g', 'me', 'BLOCK', 10, 'STREAMS', 's', '>'], null],
  ['xpending', ['s', 'g'], [2, '1-1', '2-1', [['me', 2]]]],
  ['xpending', ['s', 'g', '-', '+', 1, 'me'], [['1-1', 'me', expect.any(Number), 1]]],
  ['xclaim', ['s', 'g', 'you', 0, '1-1'], [FIRST]],
  ['xclaim', ['s', 'g', 'you', 0, '2-1', 'JUSTID'], ['2-1']],
  ['xinfoGroups', ['s'], (groups) => {
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ name: 'g', consumers: 3, pending: 2, 'last-delivered-id': '2-1' });
  }], // prettier-ignore
  ['xinfoConsumers', ['s', 'g'], (consumers) => {
    expect(consumers.map(({ name, pending }) => [name, pending])).toEqual([['idle', 0], ['me', 0], ['you', 2]]); // prettier-ignore
    expect(typeof consumers[0].idle).toBe('number');
  }], // prettier-ignore
  ['xinfoStream', ['s'], (info) => {
    expect(info).toMatchObject({ length: 2, groups: 1, 'last-generated-id': '2-1' });
    expect(info['first-entry']).toStrictEqual(FIRST);
    expect(info['last-entry']).toStrictEqual(SECOND);
  }], // prettier-ignore
  ['xinfoStream', ['new'], (info) => expect([info.length, info['first-entry'], info['last-entry']]).toEqual([0, null, null])], // prettier-ignore
  ['xinfoStream', ['s', 'FULL'], (info) => {
    expect(info.entries).toStrictEqual([FIRST, SECOND]);
    expect(info.groups[0]).toMatchObject({ name: 'g', 'pel-count': 2 });
    expect(info.groups[0].consumers.map(({ name }) => name)).toEqual(['idle', 'me', 'you']);
  }], // prettier-ignore
  ['xautoclaim', ['s', 'g', 'me', 0, 0, 'COUNT', 1], ['2-1', [FIRST], []]],
  ['xautoclaim', ['s', 'g', 'me', 0, 0, 'JUSTID'], ['0-0', ['1-1', '2-1'], []]],
  ['xack', ['s', 'g', '1-1', '9-9'], 1],
  ['xdel', ['s', '2-1', '9-9'], 1],
  ['xreadgroup', ['GROUP', 'g', 'me', 'STREAMS', 's', 0], plain({ s: [['2-1', null]] })],
  ['xautoclaim', ['s', 'g', 'me', 0, 0], ['0-0', [], ['2-1']]],
  ['xgroupSetId', ['s', 'g', '1-1'], 'OK'],
  ['xgroupDelConsumer', ['s', 'g', 'me'], 0],
  ['xgroupDestroy', ['s', 'g'], true],
  ['xgroupDestroy', ['s', 'g'], false],
  ['xsetid', ['s', '9-9'], 'OK'],
  ['xtrim', ['s', 'MAXLEN', 0], 1],
];
