'use strict';
// Lua scripts and functions.
const { bools, bytes, list, named } = require('../replies');

/** Libraries and their functions. */
const libraries = (/** @type {any[]} */ reply) =>
  reply.map((library) => {
    const { functions, ...about } = named(library);
    const described = functions.map(named).map((/** @type {any} */ one) => ({ ...one, flags: list(one.flags) }));
    return { ...about, functions: described };
  });

/** @type {import('../types').Row[]} */
module.exports = [
  ['eval', 'EVAL'],
  ['evalsha', 'EVALSHA'],
  ['evalRo', 'EVAL_RO'],
  ['evalshaRo', 'EVALSHA_RO'],
  ['scriptLoad', 'SCRIPT LOAD'],
  ['scriptExists', 'SCRIPT EXISTS', bools],
  ['scriptFlush', 'SCRIPT FLUSH'],
  ['fcall', 'FCALL'],
  ['fcallRo', 'FCALL_RO'],
  ['functionLoad', 'FUNCTION LOAD'],
  ['functionDelete', 'FUNCTION DELETE'],
  ['functionList', 'FUNCTION LIST', libraries],
  ['functionDump', 'FUNCTION DUMP', bytes],
  ['functionRestore', 'FUNCTION RESTORE'],
  ['functionFlush', 'FUNCTION FLUSH'],
];
