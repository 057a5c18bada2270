'use strict';
// Modes of submit(), as in src/node/redis_client.cpp: how a command is sent and how its reply comes back.
module.exports = Object.freeze({
  STRINGS: 0,
  /** Strings of the reply as Buffers. */
  BUFFERS: 1,
  /** It may wait for ever. */
  ENDLESS: 2,
  /** It is sent only together with the command before it. */
  JOINED: 4,
  /** It ends by itself after so many ms, times 256. */
  WAITS: 8,
  /** Times their number: it is answered by so many pushes. */
  CONFIRMATIONS: 256,
});
