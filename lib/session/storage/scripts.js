'use strict';
// The Lua scripts of sessions, each of one key.
const { defineScript } = require('../../redis/script');

/**
 * Replaces a record that still is the one that was read. ARGV: mark, value, PX or 0, whether the mark is the whole record.
 * Returns 1; 0 when there is no record; else what is there.
 */
const SWAP = defineScript(
  "if redis.call('GETRANGE',KEYS[1],0,#ARGV[1]-1)==ARGV[1]" +
    " and (ARGV[4]=='0' or redis.call('STRLEN',KEYS[1])==#ARGV[1]) then\n" +
    "if ARGV[3]=='0' then redis.call('SET',KEYS[1],ARGV[2])\n" +
    "else redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) end\n" +
    'return 1\n' +
    'end\n' +
    "return redis.call('GET',KEYS[1]) or 0",
);

/**
 * Adds a member to the list of a user, or changes its end. ARGV: now, the end of the session, its handle, how long the list
 * has to live at least.
 */
const ADD_TO_INDEX = `redis.call('ZREMRANGEBYSCORE',KEYS[1],'-inf',ARGV[1])
redis.call('ZADD',KEYS[1],ARGV[2],ARGV[3])
if redis.call('PTTL',KEYS[1])<tonumber(ARGV[4]) then redis.call('PEXPIRE',KEYS[1],ARGV[4]) end
return 1`;

/** @typedef {import('../types').Patch} Patch */

/**
 * A part of records that patch() changes in place. ARGV of its script: bytes, PX or 0; and perhaps what must be there, else
 * nothing is changed. It returns 1; 0 when there is no record; -1 when it is of another form; 2 when nothing was changed.
 * @param {string} begins what a record must begin with: ASCII, without quotes or backslashes
 * @param {number} offset of the part, in bytes
 * @param {number} onlyOffset where `only` of patch() is compared
 * @returns {Patch}
 */
function definePatch(begins, offset, onlyOffset = offset) {
  const script = defineScript(
    `if redis.call('GETRANGE',KEYS[1],0,${begins.length - 1})~='${begins}' then return -redis.call('EXISTS',KEYS[1]) end\n` +
      `if ARGV[3] and redis.call('GETRANGE',KEYS[1],${onlyOffset},${onlyOffset - 1}+#ARGV[3])~=ARGV[3] then return 2 end\n` +
      `redis.call('SETRANGE',KEYS[1],${offset},ARGV[1])\n` +
      "if ARGV[2]~='0' then redis.call('PEXPIRE',KEYS[1],ARGV[2]) end\n" +
      'return 1',
  );
  return { begins, offset, onlyOffset, script };
}

module.exports = { ADD_TO_INDEX, SWAP, definePatch };
