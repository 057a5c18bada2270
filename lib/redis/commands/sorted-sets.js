'use strict';
// Sorted sets.
const { asked, number, numbers, scored, withScore, withScores } = require('../replies');

// Behind the number of keys and the keys.
const unionWithScores = asked('WITHSCORES', scored, ([count]) => 1 + Number(count));

const popped = (/** @type {any} */ reply) => reply && [reply[0], scored(reply[1])];
const one = (/** @type {any} */ reply) => reply && [reply[0], reply[1], number(reply[2])];

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
  ['zmpop', 'ZMPOP', popped],
  ['bzpopmin', 'BZPOPMIN', one],
  ['bzpopmax', 'BZPOPMAX', one],
  ['bzmpop', 'BZMPOP', popped],
  ['zrandmember', 'ZRANDMEMBER', undefined, withScores],
  ['zrangestore', 'ZRANGESTORE'],
  ['zlexcount', 'ZLEXCOUNT'],
  ['zremrangebylex', 'ZREMRANGEBYLEX'],
  ['zunion', 'ZUNION', undefined, unionWithScores],
  ['zinter', 'ZINTER', undefined, unionWithScores],
  ['zdiff', 'ZDIFF', undefined, unionWithScores],
  ['zunionstore', 'ZUNIONSTORE'],
  ['zinterstore', 'ZINTERSTORE'],
  ['zdiffstore', 'ZDIFFSTORE'],
  ['zintercard', 'ZINTERCARD'],
];
