'use strict';
// The commands that have a method of their own. The native side encodes their names once, and knows them by their place.

const COMMANDS = /** @type {const} */ (['GET', 'SET', 'DEL', 'UNLINK', 'EXISTS', 'MGET', 'PTTL', 'PING']);

/** @typedef {typeof COMMANDS[number]} CommandName */
/** @type {Record<CommandName, number>} */
const NUMBER = /** @type {any} */ (Object.fromEntries(COMMANDS.map((name, index) => [name, index])));

// submit() modes
const STRINGS = 0;
const BUFFERS = 1;

module.exports = { COMMANDS, NUMBER, STRINGS, BUFFERS };
