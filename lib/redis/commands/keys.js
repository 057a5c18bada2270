'use strict';
// Keys of any type.
const { bool } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['del', 'DEL'],
  ['unlink', 'UNLINK'],
  ['exists', 'EXISTS'],
  ['expire', 'EXPIRE', bool],
  ['pexpire', 'PEXPIRE', bool],
  ['expireat', 'EXPIREAT', bool],
  ['pexpireat', 'PEXPIREAT', bool],
  ['persist', 'PERSIST', bool],
  ['ttl', 'TTL'],
  ['pttl', 'PTTL'],
  ['type', 'TYPE'],
  ['touch', 'TOUCH'],
  ['rename', 'RENAME'],
  ['renamenx', 'RENAMENX', bool],
  ['keys', 'KEYS'],
  ['randomkey', 'RANDOMKEY'],
  ['dbsize', 'DBSIZE'],
  ['flushdb', 'FLUSHDB'],
  ['flushall', 'FLUSHALL'],
];
