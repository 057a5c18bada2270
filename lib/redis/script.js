'use strict';
// Lua scripts: called by their SHA-1; the source is sent only to a server that does not know it (NOSCRIPT).
const { createHash } = require('node:crypto');
const { invalid } = require('../options/invalid');
const { NAMES } = require('./command-methods');
const { STRINGS } = require('./modes');

const EVALSHA = NAMES.indexOf('EVALSHA');
const EVAL = NAMES.indexOf('EVAL');

/** @typedef {{ source: string, sha: string }} Script */
/** @typedef {{ _run: (command: import('./command-methods').Command, mode?: number) => Promise<any> }} Runner */

/**
 * @param {string} source
 * @returns {Script}
 */
function defineScript(source) {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/**
 * @param {number} number
 * @param {string} name
 * @param {any[]} args
 */
const command = (number, name, args) => ({ number, name, args, transform: undefined, endless: false });

/**
 * Runs a script, with as few promises as can be.
 * @param {Runner} runner
 * @param {Script} script
 * @param {readonly any[]} args the number of keys, the keys, the arguments
 * @param {number} mode
 * @param {(reply: any) => void} resolve must not throw
 * @param {(error: any) => void} reject must not throw
 */
function runScript(runner, { source, sha }, args, mode, resolve, reject) {
  runner._run(command(EVALSHA, 'EVALSHA', [sha, ...args]), mode).then(resolve, (error) => {
    if (error.code !== 'NOSCRIPT') return reject(error);
    // It was not run; EVAL runs it, and leaves it there for the next time.
    return runner._run(command(EVAL, 'EVAL', [source, ...args]), mode).then(resolve, reject);
  });
}

/**
 * @param {Runner} client
 * @param {string} source
 * @returns {(keys?: readonly any[], args?: readonly any[]) => Promise<any>}
 */
function createScript(client, source) {
  if (typeof source !== 'string' || source === '') throw invalid('source', 'a Lua script', source);
  const script = defineScript(source);
  return (keys = [], args = []) =>
    new Promise((resolve, reject) => {
      runScript(client, script, [keys.length, ...keys, ...args], STRINGS, resolve, reject);
    });
}

module.exports = { createScript, defineScript, runScript };
