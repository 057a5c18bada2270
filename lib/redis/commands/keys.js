'use strict';
// Keys of any type.
const { bool, bytes } = require('../replies');

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
  ['expiretime', 'EXPIRETIME'],
  ['pexpiretime', 'PEXPIRETIME'],
  ['type', 'TYPE'],
  ['touch', 'TOUCH'],
  ['rename', 'RENAME'],
  ['renamenx', 'RENAMENX', bool],
  ['copy', 'COPY', bool],
  ['move', 'MOVE', bool],
  ['dump', 'DUMP', bytes],
  ['restore', 'RESTORE'],
  ['sort', 'SORT'],
  ['sortRo', 'SORT_RO'],
  ['objectEncoding', 'OBJECT ENCODING'],
  ['objectFreq', 'OBJECT FREQ'],
  ['objectIdleTime', 'OBJECT IDLETIME'],
  ['objectRefCount', 'OBJECT REFCOUNT'],
  ['memoryUsage', 'MEMORY USAGE'],
  ['keys', 'KEYS'],
  ['randomkey', 'RANDOMKEY'],
  ['dbsize', 'DBSIZE'],
  ['flushdb', 'FLUSHDB'],
  ['flushall', 'FLUSHALL'],
];
