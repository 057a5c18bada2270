'use strict';
// The server, and publishing.
const { info, numbers } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['ping', 'PING'],
  ['echo', 'ECHO'],
  ['time', 'TIME', numbers],
  ['info', 'INFO', info],
  ['publish', 'PUBLISH'],
];
