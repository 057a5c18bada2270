'use strict';
// What tells one writing of a session from every other: never the same twice, in any process.
const { randomBytes } = require('node:crypto');

const WIDTH = 16;
const RUN_BYTES = 6; // 8 characters: this thread, since its start
const MOST = 36 ** 8;

const run = randomBytes(RUN_BYTES).toString('base64url');
let last = Math.floor(Math.random() * 36 ** 7);

/** @returns {string} of WIDTH characters of base64url */
function nextRevision() {
  last = (last + 1) % MOST;
  return run + last.toString(36).padStart(WIDTH - run.length, '0');
}

module.exports = { nextRevision, REVISION_WIDTH: WIDTH };
