'use strict';
// Hashes.
const { asked, bool, number, object, pairList } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['hset', 'HSET'],
  ['hsetnx', 'HSETNX', bool],
  ['hget', 'HGET'],
  ['hmget', 'HMGET'],
  ['hgetall', 'HGETALL', object],
  ['hdel', 'HDEL'],
  ['hexists', 'HEXISTS', bool],
  ['hincrby', 'HINCRBY'],
  ['hincrbyfloat', 'HINCRBYFLOAT', number],
  ['hkeys', 'HKEYS'],
  ['hvals', 'HVALS'],
  ['hlen', 'HLEN'],
  ['hstrlen', 'HSTRLEN'],
  ['hrandfield', 'HRANDFIELD', undefined, asked('WITHVALUES', pairList)],
];
