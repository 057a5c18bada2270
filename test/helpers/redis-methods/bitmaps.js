'use strict';
// Bits of strings, and HyperLogLogs.

module.exports = [
  ['setbit', ['b', 7, 1], 0],
  ['setbit', ['b', 7, 1], 1],
  ['getbit', ['b', 7], 1],
  ['getbit', ['no', 7], 0],
  ['setbit', ['b', 9, 1], 0],
  ['bitcount', ['b'], 2],
  ['bitcount', ['b', 1, 1], 1],
  ['bitcount', ['b', 0, 7, 'BIT'], 1],
  ['bitpos', ['b', 1], 7],
  ['bitpos', ['b', 1, 1], 9],
  ['bitpos', ['no', 1], -1],
  ['bitop', ['NOT', 'c', 'b'], 2],
  ['bitop', ['AND', 'c', 'b', 'no'], 2],
  ['bitfield', ['f', 'SET', 'u8', 0, 200, 'OVERFLOW', 'FAIL', 'INCRBY', 'u8', 0, 100, 'GET', 'u8', 0], [0, null, 200]],
  ['bitfieldRo', ['f', 'GET', 'u4', 0], [12]],
  ['pfadd', ['p', 'a', 'b'], true],
  ['pfadd', ['p', 'a'], false],
  ['pfadd', ['q', 'c'], true],
  ['pfcount', ['p', 'q'], 3],
  ['pfcount', ['no'], 0],
  ['pfmerge', ['r', 'p', 'q'], 'OK'],
];
