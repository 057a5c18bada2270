'use strict';
// Lua scripts: called by their SHA-1; the source is sent only to a server that does not know it.
const { createHash } = require('node:crypto');
const { invalid } = require('../options/invalid');

/**
 * @param {{ evalsha: Function, eval: Function }} client
 * @param {string} source
 * @returns {(keys?: readonly any[], args?: readonly any[]) => Promise<any>}
 */
function createScript(client, source) {
  if (typeof source !== 'string' || source === '') throw invalid('source', 'a Lua script', source);
  const sha = createHash('sha1').update(source).digest('hex');
  return async (keys = [], args = []) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (/** @type {any} */ (error)?.code !== 'NOSCRIPT') throw error;
      // It was not run; EVAL runs it, and leaves it there for the next time.
      return client.eval(source, keys.length, ...keys, ...args);
    }
  };
}

module.exports = { createScript };
