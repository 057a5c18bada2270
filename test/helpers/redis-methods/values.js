'use strict';
// For the tables of this folder.

/** An object without a prototype. */
const plain = (fields) => Object.assign(Object.create(null), fields);
const sorted = (array) => [...array].sort();

module.exports = { plain, sorted };
