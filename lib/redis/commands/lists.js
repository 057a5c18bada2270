'use strict';
// Lists.

/** @type {import('../types').Row[]} */
module.exports = [
  ['lpush', 'LPUSH'],
  ['rpush', 'RPUSH'],
  ['lpushx', 'LPUSHX'],
  ['rpushx', 'RPUSHX'],
  ['lpop', 'LPOP'],
  ['rpop', 'RPOP'],
  ['llen', 'LLEN'],
  ['lrange', 'LRANGE'],
  ['lindex', 'LINDEX'],
  ['linsert', 'LINSERT'],
  ['lset', 'LSET'],
  ['lrem', 'LREM'],
  ['ltrim', 'LTRIM'],
  ['lpos', 'LPOS'],
  ['lmove', 'LMOVE'],
  ['lmpop', 'LMPOP'],
  ['blpop', 'BLPOP'],
  ['brpop', 'BRPOP'],
  ['blmove', 'BLMOVE'],
  ['blmpop', 'BLMPOP'],
];
