'use strict';
// Which loads the running code is part of: a load that waits for itself, directly or through others, would never end. In
// development and tests (NODE_ENV), and where Node follows asynchronous code at no cost (24 and newer), it is known at any
// time; else until the loader first waits for something: AsyncLocalStorage of older versions makes every promise dearer.
const { AsyncLocalStorage } = require('node:async_hooks');
const { CacheError } = require('../errors');

/** @typedef {import('./single-flight').InFlightLoadInstance} Load */

const isCheap = Number(process.versions.node.split('.', 1)[0]) >= 24;
const isWanted = process.env.NODE_ENV === 'development' || process.env.NODE_ENV === 'test';
/** @type {AsyncLocalStorage<Load> | undefined} */
const storage = isCheap || isWanted ? new AsyncLocalStorage() : undefined;

/** @type {Load | undefined} whose loader is being called */
let calling;

/**
 * Calls the loader of a load.
 * @template T
 * @param {Load} load
 * @param {() => T} call
 * @returns {T}
 */
function callWithin(load, call) {
  const before = calling;
  calling = load;
  try {
    return storage === undefined ? call() : storage.run(load, call);
  } finally {
    calling = before;
  }
}

/** @returns {Load | undefined} the innermost */
const enclosingLoad = () => storage?.getStore() ?? calling;

/**
 * To be called before the running code waits for a load.
 * @param {Load} load
 */
function checkNotWithin(load) {
  const keys = [load.key];
  for (let outer = enclosingLoad(); outer !== undefined; outer = outer.parent) {
    keys.push(outer.key);
    if (outer !== load) continue;
    const path = keys.reverse().map((key) => `'${key}'`);
    throw new CacheError(
      'RECURSIVE_LOAD',
      `the load of '${load.key}' would wait for itself: its loader asks for ${path.slice(1).join(', whose loader asks for ')}`,
    );
  }
}

module.exports = { callWithin, checkNotWithin, enclosingLoad };
