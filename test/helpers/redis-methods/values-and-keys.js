'use strict';
// Strings, keys of any type, functions and the server: what basics.js does not have.

const { plain } = require('./values');

const LIBRARY = `#!lua name=lib
redis.register_function('twice', function(keys, args) return args[1] * 2 end)
redis.register_function{ function_name = 'once', flags = { 'no-writes' }, callback = function(keys, args) return 1 end }`;
// As Redis 7.0 dumps them, which later servers read.
const DUMP_OF_V = Buffer.from('0001760a009108ceb219388ace', 'hex');
const DUMP_OF_NO_FUNCTIONS = Buffer.from('0a005d9b5c400f7fa2da', 'hex');
const number = (value) => expect(typeof value).toBe('number');

module.exports = [
  ['msetnx', ['a', 'ohmytext', 'b', 'mynewtext'], true],
  ['msetnx', ['a', 1, 'c', 2], false],
  ['lcs', ['a', 'b'], 'mytext'],
  ['lcs', ['a', 'b', 'LEN'], 6],
  ['lcs', ['a', 'b', 'IDX', 'MINMATCHLEN', 4], plain({ matches: [[[4, 7], [5, 8]]], len: 6 })], // prettier-ignore

  ['expireat', ['a', 4_000_000_000], true],
  ['expiretime', ['a'], 4_000_000_000],
  ['expiretime', ['no'], -2],
  ['pexpiretime', ['a'], 4_000_000_000_000],
  ['pexpiretime', ['b'], -1],
  ['copy', ['a', 'c'], true],
  ['copy', ['a', 'c'], false],
  ['copy', ['b', 'c', 'REPLACE'], true],
  ['move', ['c', 1], true],
  ['move', ['c', 1], false],
  ['set', ['a', 'v'], 'OK'],
  ['dump', ['a'], (dump) => {
    expect(Buffer.isBuffer(dump)).toBe(true);
    expect(dump.subarray(0, 3)).toEqual(Buffer.from('\0\x01v'));
  }], // prettier-ignore
  ['dump', ['no'], null],
  ['restore', ['r', 0, DUMP_OF_V], 'OK'],
  ['restore', ['r', 1000, DUMP_OF_V, 'REPLACE'], 'OK'],
  ['get', ['r'], 'v'],
  ['rpush', ['l', 3, 1, 2], 3],
  ['sort', ['l', 'DESC'], ['3', '2', '1']],
  ['sort', ['l', 'GET', 'none_*', 'GET', '#'], [null, '1', null, '2', null, '3']],
  ['sort', ['l', 'STORE', 'sorted'], 3],
  ['sort', ['no'], []],
  ['sortRo', ['l', 'LIMIT', 0, 1], ['1']],
  ['objectEncoding', ['a'], 'embstr'],
  ['objectEncoding', ['no'], null],
  ['objectIdleTime', ['a'], number],
  ['objectRefCount', ['a'], number],
  ['memoryUsage', ['a'], number],
  ['memoryUsage', ['no'], null],
  ['configSet', ['maxmemory-policy', 'allkeys-lfu'], 'OK'],
  ['configGet', ['maxmemory-p*'], plain({ 'maxmemory-policy': 'allkeys-lfu' })],
  ['objectFreq', ['a'], number],
  ['configSet', ['maxmemory-policy', 'noeviction'], 'OK'],

  ['evalRo', ['return {KEYS[1], ARGV[1]}', 1, 'k', 'v'], ['k', 'v']],
  ['scriptLoad', ['return 8'], 'c2db959528781f82a78b455e9842f46a02a43b61'],
  ['evalshaRo', ['c2db959528781f82a78b455e9842f46a02a43b61', 0], 8],
  ['functionFlush', [], 'OK'],
  ['functionLoad', [LIBRARY], 'lib'],
  ['functionLoad', ['REPLACE', LIBRARY], 'lib'],
  ['fcall', ['twice', 0, 21], 42],
  ['fcallRo', ['once', 0], 1],
  ['functionList', ['WITHCODE'], ([library]) => {
    expect(library).toMatchObject({ library_name: 'lib', engine: 'LUA', library_code: LIBRARY });
    const functions = [...library.functions].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(functions).toEqual([{ name: 'once', description: null, flags: ['no-writes'] }, { name: 'twice', description: null, flags: [] }]);
  }], // prettier-ignore
  ['functionDump', [], (dump) => expect(Buffer.isBuffer(dump)).toBe(true)],
  ['functionRestore', [DUMP_OF_NO_FUNCTIONS], 'OK'],
  ['functionDelete', ['lib'], 'OK'],
  ['functionList', [], []],

  ['clientId', [], number],
  ['wait', [0, 10], 0],
  ['spublish', ['nobody', 'x'], 0],
  ['pubsubChannels', ['none*'], []],
  ['pubsubNumSub', ['nobody', 'x'], plain({ nobody: 0, x: 0 })],
  ['pubsubNumPat', [], 0],
];
