'use strict';
// A process warning for a server that was never reached, when nobody would hear of it otherwise: once for each server.

const MOST = 100;
/** @type {Set<string>} */
const told = new Set();

/**
 * @param {string} place host and port, or a path
 * @param {string} reason with the place, without secrets
 */
function warnUnreachable(place, reason) {
  if (told.has(place) || told.size >= MOST) return;
  told.add(place);
  process.emitWarning(
    `Redis cannot be reached: ${reason}. New attempts follow, and this is said once. ` +
      "To hear of all: the event 'error' of a client, the option 'logger' or the event 'cache:error' of a cache.",
    { type: 'TiercelWarning', code: 'TIERCEL_REDIS_UNREACHABLE' },
  );
}

module.exports = { warnUnreachable };
