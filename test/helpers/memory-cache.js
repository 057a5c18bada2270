'use strict';
// Caches with memory alone that have it to themselves: those of one namespace share it, with those that another test
// file of the same process left open, too.

const { createCache } = require('../../lib');

let last = 0;

/** A namespace that nobody else in this process has. */
const ownNamespace = () => `test-${process.pid}-${Date.now()}-${++last}`;

/** @param {object} [options] of createCache */
const memoryCache = (options) => createCache({ redis: false, namespace: ownNamespace(), ...options });

module.exports = { memoryCache, ownNamespace };
