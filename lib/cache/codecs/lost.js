'use strict';
// What would be stored as an empty object, or as its own insides: instances that keep what they are out of sight (Response,
// Headers, Blob, Map, a Promise), and streams.
const { types } = require('node:util');
const { describe } = require('../../options/invalid');

/**
 * @param {any} value an object that is no array and has no toJSON()
 */
function isLost(value) {
  if (types.isBoxedPrimitive(value)) return false;
  if (typeof value.pipe === 'function' && typeof value.on === 'function') return true;
  const prototype = Object.getPrototypeOf(value);
  // Of any realm.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return false;
  return Object.keys(value).length === 0;
}

/**
 * The first thing in a value that JSON would lose, with its path.
 * @param {any} value that JSON.stringify() takes
 * @param {string} [path]
 * @returns {string | undefined}
 */
function lostIn(value, path = '') {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof value.toJSON === 'function') {
    const made = value.toJSON(path);
    return made === value ? undefined : lostIn(made, path);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const lost = lostIn(value[i], `${path}[${i}]`);
      if (lost !== undefined) return lost;
    }
    return undefined;
  }
  if (isLost(value)) return `${describe(value)}${at(path)}`;
  for (const key of Object.keys(value)) {
    const lost = lostIn(value[key], `${path}.${key}`);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

/** @param {string} path */
function at(path) {
  return path === '' ? '' : ` at ${path.length > 100 ? `${path.slice(0, 100)}…` : path.replace(/^\./, '')}`;
}

module.exports = { at, isLost, lostIn };
