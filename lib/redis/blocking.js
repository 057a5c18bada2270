'use strict';
// Commands that wait on the server until something happens, and for how long they say that they do at most.

// Where each has its time: its place among the arguments, from the end when negative; in seconds, or milliseconds.
const PLACES = new Map(
  Object.entries({
    BLPOP: { place: -1, unit: 1000 },
    BRPOP: { place: -1, unit: 1000 },
    BRPOPLPUSH: { place: -1, unit: 1000 },
    BLMOVE: { place: -1, unit: 1000 },
    BZPOPMIN: { place: -1, unit: 1000 },
    BZPOPMAX: { place: -1, unit: 1000 },
    BLMPOP: { place: 0, unit: 1000 },
    BZMPOP: { place: 0, unit: 1000 },
    WAIT: { place: 1, unit: 1 },
    WAITAOF: { place: 2, unit: 1 },
  }),
);

// These wait when they say BLOCK.
const STREAM_READS = new Set(['XREAD', 'XREADGROUP']);

/** @param {string} name in capitals */
const mayWait = (name) => PLACES.has(name) || STREAM_READS.has(name);

/**
 * @param {unknown} argument
 * @returns {string}
 */
function textOf(argument) {
  return argument instanceof Uint8Array ? Buffer.from(argument).toString('latin1') : String(argument);
}

/**
 * How long a command may wait on the server by what it says itself.
 * @param {string} name in capitals
 * @param {readonly any[]} args
 * @returns {number | undefined} milliseconds, Infinity: for ever; undefined: it does not wait
 */
function waitingTime(name, args) {
  const timed = PLACES.get(name);
  if (timed !== undefined) return milliseconds(args.at(timed.place), timed.unit);
  if (!STREAM_READS.has(name)) return undefined;
  // What comes behind STREAMS are names.
  for (let i = 0; i + 1 < args.length; i++) {
    const word = textOf(args[i]).toUpperCase();
    if (word === 'STREAMS') return undefined;
    if (word === 'BLOCK') return milliseconds(args[i + 1], 1);
  }
  return undefined;
}

/**
 * @param {unknown} given
 * @param {number} unit
 */
function milliseconds(given, unit) {
  const time = given === undefined ? Number.NaN : Number(textOf(given)) * unit;
  // 0 is for ever; of what is no time the server says so at once.
  return time > 0 ? Math.ceil(time) : Number.POSITIVE_INFINITY;
}

module.exports = { mayWait, textOf, waitingTime };
