'use strict';
// Sorted sets.
const { number, numbers, scored, withScore, withScores } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['zadd', 'ZADD', number], // with INCR a score
  ['zrem', 'ZREM'],
  ['zcard', 'ZCARD'],
  ['zcount', 'ZCOUNT'],
  ['zscore', 'ZSCORE', number],
  ['zmscore', 'ZMSCORE', numbers],
  ['zincrby', 'ZINCRBY', number],
  ['zrank', 'ZRANK', undefined, withScore],
  ['zrevrank', 'ZREVRANK', undefined, withScore],
  ['zrange', 'ZRANGE', undefined, withScores],
  ['zrangebyscore', 'ZRANGEBYSCORE', undefined, withScores],
  ['zremrangebyscore', 'ZREMRANGEBYSCORE'],
  ['zremrangebyrank', 'ZREMRANGEBYRANK'],
  ['zpopmin', 'ZPOPMIN', scored],
  ['zpopmax', 'ZPOPMAX', scored],
];
