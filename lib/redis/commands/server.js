'use strict';
// The server, and publishing.
const { info, named, numbers, object } = require('../replies');

/** @type {import('../types').Row[]} */
module.exports = [
  ['ping', 'PING'],
  ['echo', 'ECHO'],
  ['time', 'TIME', numbers],
  ['info', 'INFO', info],
  ['configGet', 'CONFIG GET', named],
  ['configSet', 'CONFIG SET'],
  ['clientId', 'CLIENT ID'],
  ['wait', 'WAIT'],
  ['publish', 'PUBLISH'],
  ['spublish', 'SPUBLISH'],
  ['pubsubChannels', 'PUBSUB CHANNELS'],
  ['pubsubNumSub', 'PUBSUB NUMSUB', object],
  ['pubsubNumPat', 'PUBSUB NUMPAT'],
];
