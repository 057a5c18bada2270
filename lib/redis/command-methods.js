'use strict';
// The methods that a client, its Buffer view, a pipeline and a transaction have in common: one for each row of the table
// of commands, and call() for all others. Each of them says itself what becomes of a command, in _run.
const { METHODS } = require('./commands');
const { describe } = require('../options/invalid');
const { mayWait, textOf, waitingTime } = require('./blocking');

/** @typedef {import('./types').Command} Command */

// The second word of a command with two (SCRIPT LOAD) is its first argument.
const ROWS = METHODS.map(([method, words, transform, choose]) => {
  const [first, ...rest] = words.split(' ');
  return { method, name: words, first, rest, transform, choose };
});

/** First words, by the number under which the native side knows them. */
const NAMES = [...new Set(ROWS.map(({ first }) => first))];

// What would change the meaning of everything behind it on the connection, or has no answer of its own: every command is
// matched with its answer by its place.
const REFUSED = new Map(
  Object.entries({
    SUBSCRIBE: 'use subscribe()',
    PSUBSCRIBE: 'use psubscribe()',
    SSUBSCRIBE: 'use ssubscribe()',
    UNSUBSCRIBE: 'use unsubscribe() of what subscribe() gave',
    PUNSUBSCRIBE: 'use unsubscribe() of what psubscribe() gave',
    SUNSUBSCRIBE: 'use unsubscribe() of what ssubscribe() gave',
    MULTI: 'use multi()',
    EXEC: 'use exec() of what multi() gave',
    DISCARD: 'a transaction of multi() is sent whole, or not at all',
    WATCH: 'commands of all callers share the connection; use a script',
    UNWATCH: 'commands of all callers share the connection; use a script',
    SELECT: 'commands of all callers share the connection; give createRedis the db',
    MONITOR: 'its output never ends',
    SYNC: 'it is for replicas',
    PSYNC: 'it is for replicas',
    QUIT: 'use close()',
    HELLO: 'the client chooses the protocol; use options for AUTH and the name',
    RESET: 'it undoes what the connection was set up for',
    AUTH: 'commands of all callers share the connection; give createRedis the password, or a function that gives it',
    REPLCONF: 'it has no answer, and is for replicas',
    READONLY: 'commands of all callers share the connection',
    READWRITE: 'commands of all callers share the connection',
    ASKING: 'commands of all callers share the connection',
  }),
);

// The same of commands with two words.
const REFUSED_PAIRS = new Map(
  Object.entries({
    'CLIENT REPLY': 'every command waits for its answer',
    'CLIENT TRACKING': 'the client switches it on and off itself; caches rely on it',
    'CLIENT CACHING': 'it is for a mode of tracking that the client does not use',
    'CLIENT NO-TOUCH': 'commands of all callers share the connection',
    'CLIENT NO-EVICT': 'commands of all callers share the connection',
    'CLIENT CAPA': 'it changes what the server answers to everybody on the connection',
    'CLIENT IMPORT-SOURCE': 'commands of all callers share the connection',
    'SCRIPT DEBUG': 'it changes what the server answers to everybody on the connection',
  }),
);

/**
 * @param {unknown} command
 * @param {readonly any[]} args
 * @returns {Command}
 */
function anyCommand(command, args) {
  if (typeof command !== 'string' || command === '') {
    throw new TypeError(`command: expected the name of a command, got ${describe(command)}`);
  }
  const name = command.toUpperCase();
  const instead = REFUSED.get(name);
  if (instead !== undefined) throw new TypeError(`${name} cannot be called directly: ${instead}`);
  if (name === 'CLIENT' || name === 'SCRIPT') {
    const pair = `${name} ${textOf(args[0]).toUpperCase()}`;
    const why = REFUSED_PAIRS.get(pair);
    if (why !== undefined) throw new TypeError(`${pair} cannot be called directly: ${why}`);
  }
  const waits = waitingTime(name, args);
  return { number: -1, name, args: [command, ...args], transform: undefined, endless: waits !== undefined, waits };
}

/**
 * @param {any} prototype of a class with a method _run(command)
 */
function addCommands(prototype) {
  for (const { method, name, first, rest, transform, choose } of ROWS) {
    if (Object.hasOwn(prototype, method)) continue; // it has a faster one of its own
    const number = NAMES.indexOf(first);
    const two = rest.length > 0;
    if (choose !== undefined || mayWait(first)) {
      /** @param {any[]} args */
      prototype[method] = function (...args) {
        const waits = waitingTime(first, args);
        const chosen = choose === undefined ? transform : choose(args);
        return this._run({ number, name, args, transform: chosen, endless: waits !== undefined, waits });
      };
      continue;
    }
    /** @param {any[]} args */
    prototype[method] = function (...args) {
      return this._run({ number, name, args: two ? [...rest, ...args] : args, transform, endless: false });
    };
  }
}

module.exports = { addCommands, anyCommand, NAMES };
