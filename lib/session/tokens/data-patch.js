'use strict';
// The data of a session: objects that JSON holds, and changes of them.
const { encodeJson } = require('../../cache/codecs/json');
const { invalid, isPlainObject } = require('../../options/invalid');

/**
 * A snapshot, taken at once.
 * @param {unknown} data
 * @param {string} [what]
 * @returns {string}
 */
function encodeData(data, what = 'data') {
  if (!isPlainObject(data)) throw invalid(what, 'a plain object', data);
  const text = encodeJson(data, what);
  // Its toJSON() may have made something else of it.
  if (!text.startsWith('{')) throw new TypeError(`${what}: expected an object, which JSON makes something else of`);
  return text;
}

/**
 * @param {unknown} change a patch of the top level, or a function of the data
 * @returns {(data: Record<string, any>) => string | Promise<string>}
 */
function changeOf(change) {
  if (typeof change === 'function') {
    return async (data) => {
      const changed = await change(data);
      return encodeData(changed === undefined ? data : changed, 'what the function returned, or its argument');
    };
  }
  const text = encodeData(change, 'patch');
  const removed = Object.entries(/** @type {Record<string, any>} */ (change))
    .filter(([, value]) => value === undefined)
    .map(([key]) => key);
  return (data) => {
    for (const [key, value] of Object.entries(JSON.parse(text))) {
      // Assigning to `__proto__` would set the prototype.
      Object.defineProperty(data, key, { value, enumerable: true, configurable: true, writable: true });
    }
    for (const key of removed) delete data[key];
    return JSON.stringify(data);
  };
}

module.exports = { encodeData, changeOf };
