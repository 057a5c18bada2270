'use strict';
// Sets, sorted sets and hashes: what combines several of them, takes from the first, or picks at random.

const { sorted } = require('./values');

const scored = (...pairs) => pairs.map(([member, score]) => ({ member, score }));
const A1 = scored(['a', 1]);

module.exports = [
  ['sadd', ['s', 'a', 'b'], 2],
  ['sadd', ['t', 'b', 'c'], 2],
  ['sunionstore', ['u', 's', 't'], 3],
  ['sinterstore', ['u', 's', 't'], 1],
  ['sdiffstore', ['u', 's', 't'], 1],
  ['smembers', ['u'], ['a']],
  ['sintercard', [2, 's', 't'], 1],
  ['sintercard', [2, 's', 's', 'LIMIT', 1], 1],
  ['smove', ['s', 'u', 'b'], true],
  ['smove', ['s', 'u', 'no'], false],

  ['zadd', ['z', 1, 'a', 2, 'b'], 2],
  ['zadd', ['withscores', 5, 'b', 0.5, 'c'], 2],
  ['zunion', [2, 'z', 'withscores'], ['c', 'a', 'b']],
  ['zunion', [2, 'z', 'withscores', 'WEIGHTS', 1, 2, 'withscores'], scored(['a', 1], ['c', 1], ['b', 12])],
  ['zunion', [1, 'no', 'WITHSCORES'], []],
  ['zinter', [2, 'z', 'withscores'], ['b']],
  ['zinter', [2, 'z', 'withscores', 'AGGREGATE', 'MAX', 'WITHSCORES'], scored(['b', 5])],
  ['zdiff', [2, 'z', 'withscores'], ['a']],
  ['zdiff', [2, 'z', 'withscores', 'WITHSCORES'], A1],
  ['zunionstore', ['out', 2, 'z', 'withscores'], 3],
  ['zinterstore', ['out', 2, 'z', 'withscores'], 1],
  ['zdiffstore', ['out', 2, 'z', 'withscores'], 1],
  ['zrange', ['out', 0, -1, 'WITHSCORES'], A1],
  ['zintercard', [2, 'z', 'withscores'], 1],
  ['zrandmember', ['out'], 'a'],
  ['zrandmember', ['no'], null],
  ['zrandmember', ['no', 2], []],
  ['zrandmember', ['out', -2], ['a', 'a']],
  ['zrandmember', ['out', -2, 'WITHSCORES'], [...A1, ...A1]],
  ['zrandmember', ['no', 2, 'WITHSCORES'], []],
  ['zrangestore', ['out', 'z', 0, 1, 'BYSCORE'], 1],
  ['zrange', ['z', '[b', '-', 'BYLEX', 'REV'], ['b', 'a']],
  ['zadd', ['lex', 0, 'a', 0, 'b', 0, 'c'], 3],
  ['zlexcount', ['lex', '-', '[b'], 2],
  ['zremrangebylex', ['lex', '-', '(b'], 1],
  ['zmpop', [2, 'no', 'z', 'MIN'], ['z', A1]],
  ['zmpop', [1, 'lex', 'MAX', 'COUNT', 2], ['lex', scored(['c', 0], ['b', 0])]],
  ['zmpop', [1, 'no', 'MIN'], null],
  ['bzpopmin', ['no', 'z', 1], ['z', 'b', 2]],
  ['bzpopmin', ['no', 0.01], null],
  ['bzpopmax', ['withscores', 1], ['withscores', 'b', 5]],
  ['bzpopmax', ['no', 0.01], null],
  ['bzmpop', [1, 1, 'withscores', 'MIN'], ['withscores', scored(['c', 0.5])]],
  ['bzmpop', [0.01, 1, 'no', 'MIN'], null],

  ['hset', ['h', 'f', 'four'], 1],
  ['hstrlen', ['h', 'f'], 4],
  ['hstrlen', ['h', 'no'], 0],
  ['hrandfield', ['h'], 'f'],
  ['hrandfield', ['no'], null],
  ['hrandfield', ['no', 2], []],
  ['hrandfield', ['h', -2], ['f', 'f']],
  ['hrandfield', ['h', -2, 'WITHVALUES'], [['f', 'four'], ['f', 'four']]], // prettier-ignore
  ['hrandfield', ['no', 2, 'WITHVALUES'], []],
  ['hset', ['h', 'g', 'x'], 1],
  ['hrandfield', ['h', 5], (fields) => expect(sorted(fields)).toStrictEqual(['f', 'g'])],
];
