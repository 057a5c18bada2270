'use strict';
// Sets.
const { bool, bools, list } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['sadd', 'SADD'],
  ['srem', 'SREM'],
  ['scard', 'SCARD'],
  ['smembers', 'SMEMBERS', list],
  ['sismember', 'SISMEMBER', bool],
  ['smismember', 'SMISMEMBER', bools],
  ['spop', 'SPOP', list],
  ['srandmember', 'SRANDMEMBER', list],
  ['sunion', 'SUNION', list],
  ['sinter', 'SINTER', list],
  ['sdiff', 'SDIFF', list],
  ['sunionstore', 'SUNIONSTORE'],
  ['sinterstore', 'SINTERSTORE'],
  ['sdiffstore', 'SDIFFSTORE'],
  ['sintercard', 'SINTERCARD'],
  ['smove', 'SMOVE', bool],
];
