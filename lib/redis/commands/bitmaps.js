'use strict';
// Bits of strings, and HyperLogLogs.
const { bool } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['setbit', 'SETBIT'],
  ['getbit', 'GETBIT'],
  ['bitcount', 'BITCOUNT'],
  ['bitpos', 'BITPOS'],
  ['bitop', 'BITOP'],
  ['bitfield', 'BITFIELD'],
  ['bitfieldRo', 'BITFIELD_RO'],
  ['pfadd', 'PFADD', bool],
  ['pfcount', 'PFCOUNT'],
  ['pfmerge', 'PFMERGE'],
];
