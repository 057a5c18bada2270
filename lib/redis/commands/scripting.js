'use strict';
// Lua scripts.
const { bools } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['eval', 'EVAL'],
  ['evalsha', 'EVALSHA'],
  ['scriptLoad', 'SCRIPT LOAD'],
  ['scriptExists', 'SCRIPT EXISTS', bools],
  ['scriptFlush', 'SCRIPT FLUSH'],
];
