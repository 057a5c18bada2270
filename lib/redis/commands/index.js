'use strict';
// The commands that have a method of their own, by subject. The native side encodes the names once, and knows them by their
// place.

/** @type {import('../types').Row[]} */
const METHODS = [
  ...require('./strings'),
  ...require('./keys'),
  ...require('./lists'),
  ...require('./sets'),
  ...require('./sorted-sets'),
  ...require('./hashes'),
  ...require('./streams'),
  ...require('./geo'),
  ...require('./bitmaps'),
  ...require('./scripting'),
  ...require('./server'),
];

module.exports = { METHODS };
