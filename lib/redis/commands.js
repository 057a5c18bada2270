'use strict';
// The commands that have a method of their own: what each is called, and how its answer becomes the same JavaScript value
// whether the server speaks RESP2 or RESP3. The native side encodes the names once, and knows them by their place.

/** @typedef {(reply: any, buffers?: boolean) => any} Transform */

const pairs = (/** @type {any} */ reply) => {
  if (reply instanceof Map) return reply;
  const map = new Map();
  for (let i = 0; i < reply.length; i += 2) map.set(reply[i], reply[i + 1]);
  return map;
};

/** A flat list or a Map of fields and values as an object without a prototype, so that no field is special. */
const object = (/** @type {any} */ reply, buffers = false) => {
  if (reply === null) return null;
  // Bytes cannot be the names of properties.
  if (buffers) return pairs(reply);
  const result = Object.create(null);
  if (reply instanceof Map) {
    for (const [field, value] of reply) result[field] = value;
  } else {
    for (let i = 0; i < reply.length; i += 2) result[reply[i]] = reply[i + 1];
  }
  return result;
};
const list = (/** @type {any} */ reply) => (reply instanceof Set ? [...reply] : reply);
const number = (/** @type {any} */ reply) => (reply === null || typeof reply === 'number' ? reply : toNumber(reply));
const bool = (/** @type {any} */ reply) => Number(reply) === 1;
const bools = (/** @type {any[]} */ reply) => reply.map(bool);
const numbers = (/** @type {any[]} */ reply) => reply.map(number);
const info = (/** @type {any} */ reply) => parseInfo(String(reply));

/** @param {any} reply */
function toNumber(reply) {
  const text = String(reply);
  if (text === 'inf' || text === '+inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

/**
 * INFO as sections of fields. A field whose value is itself a list (`db0:keys=1,expires=0`) becomes an object.
 * @param {string} text
 * @returns {Record<string, Record<string, string | Record<string, string>>>}
 */
function parseInfo(text) {
  /** @type {Record<string, any>} */
  const sections = Object.create(null);
  /** @type {Record<string, any>} */
  let section = (sections.default = Object.create(null));
  for (const line of text.split('\r\n')) {
    if (line.startsWith('# ')) {
      section = sections[line.slice(2).toLowerCase()] = Object.create(null);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const value = line.slice(colon + 1);
    section[line.slice(0, colon)] = /^\w+=[^,]*(,\w+=[^,]*)*$/.test(value)
      ? Object.fromEntries(value.split(',').map((pair) => pair.split('=', 2)))
      : value;
  }
  if (Object.keys(sections.default).length === 0) delete sections.default;
  return sections;
}

/**
 * Members and scores: nested pairs in RESP3, a flat list of text in RESP2.
 * @param {any[]} reply
 * @returns {Array<{ member: any, score: number }>}
 */
function scored(reply) {
  if (Array.isArray(reply[0])) return reply.map(([member, score]) => ({ member, score: number(score) }));
  const pairs = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push({ member: reply[i], score: number(reply[i + 1]) });
  return pairs;
}

/** @param {any} reply */
function ranked(reply) {
  return reply === null ? null : { rank: reply[0], score: number(reply[1]) };
}

/**
 * The word that makes the answer of a method one of members and scores, and what it then becomes.
 * @type {Record<string, { word: string, transform: Transform }>}
 */
const WITH_SCORES = {
  zrange: { word: 'WITHSCORES', transform: scored },
  zrangebyscore: { word: 'WITHSCORES', transform: scored },
  zrank: { word: 'WITHSCORE', transform: ranked },
  zrevrank: { word: 'WITHSCORE', transform: ranked },
};

/**
 * Method name, words of the command, and what becomes of the answer when it is not taken as it is.
 * @type {Array<[method: string, words: string, transform?: Transform]>}
 */
const METHODS = [
  // strings
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
  ['incr', 'INCR'],
  ['incrby', 'INCRBY'],
  ['incrbyfloat', 'INCRBYFLOAT', number],
  ['decr', 'DECR'],
  ['decrby', 'DECRBY'],
  ['append', 'APPEND'],
  ['strlen', 'STRLEN'],
  ['getrange', 'GETRANGE'],
  ['setrange', 'SETRANGE'],
  // keys
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
  // sets
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
  // sorted sets
  ['zadd', 'ZADD', number], // with INCR a score
  ['zrem', 'ZREM'],
  ['zcard', 'ZCARD'],
  ['zcount', 'ZCOUNT'],
  ['zscore', 'ZSCORE', number],
  ['zmscore', 'ZMSCORE', numbers],
  ['zincrby', 'ZINCRBY', number],
  ['zrank', 'ZRANK'],
  ['zrevrank', 'ZREVRANK'],
  ['zrange', 'ZRANGE'],
  ['zrangebyscore', 'ZRANGEBYSCORE'],
  ['zremrangebyscore', 'ZREMRANGEBYSCORE'],
  ['zremrangebyrank', 'ZREMRANGEBYRANK'],
  ['zpopmin', 'ZPOPMIN', scored],
  ['zpopmax', 'ZPOPMAX', scored],
  // hashes
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
  // scripting
  ['eval', 'EVAL'],
  ['evalsha', 'EVALSHA'],
  ['scriptLoad', 'SCRIPT LOAD'],
  ['scriptExists', 'SCRIPT EXISTS', bools],
  ['scriptFlush', 'SCRIPT FLUSH'],
  // server
  ['ping', 'PING'],
  ['echo', 'ECHO'],
  ['time', 'TIME', numbers],
  ['info', 'INFO', info],
  ['publish', 'PUBLISH'],
];

module.exports = { METHODS, WITH_SCORES, number, parseInfo };
