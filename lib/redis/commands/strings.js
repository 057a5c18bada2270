'use strict';
// Strings.
const { asked, bool, named, number } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['get', 'GET'],
  ['set', 'SET'],
  ['setex', 'SETEX'],
  ['psetex', 'PSETEX'],
  ['setnx', 'SETNX', bool],
  ['getset', 'GETSET'],
  ['getdel', 'GETDEL'],
  ['getex', 'GETEX'],
  ['mget', 'MGET'],
  ['mset', 'MSET'],
  ['msetnx', 'MSETNX', bool],
  ['incr', 'INCR'],
  ['incrby', 'INCRBY'],
  ['incrbyfloat', 'INCRBYFLOAT', number],
  ['decr', 'DECR'],
  ['decrby', 'DECRBY'],
  ['append', 'APPEND'],
  ['strlen', 'STRLEN'],
  ['getrange', 'GETRANGE'],
  ['setrange', 'SETRANGE'],
  ['lcs', 'LCS', undefined, asked('IDX', named)],
];
