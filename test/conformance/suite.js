'use strict';
// Where the public conformance suite of HTTP caches is (https://github.com/http-tests/cache-tests), and how its parts
// are laid out: the published package and the repository differ.

const fs = require('node:fs');
const path = require('node:path');

const PACKAGE = 'http-cache-tests';

/**
 * @typedef {object} Suite
 * @property {string} root
 * @property {string} server the module that starts the origin
 * @property {string} runner the module with runTests and getResults
 * @property {string} judge the module with determineTestResult
 * @property {string[]} tests the modules with the definitions
 * @property {string | undefined} fetch the module of the client to hand to the runner; without it, Node's own
 */

/**
 * @param {string} [root] a checkout of the repository; default: that of TIERCEL_CACHE_TESTS, else the package
 * @returns {Suite}
 */
function findSuite(root = process.env.TIERCEL_CACHE_TESTS) {
  const directory = root === undefined ? packageDirectory() : path.resolve(root);
  const at = (/** @type {string[]} */ ...names) => path.join(directory, ...names);

  if (fs.existsSync(at('test-engine', 'client', 'runner.mjs'))) {
    // Without it the tests of interim responses fail, whatever the cache does.
    requireFrom(directory, 'undici');
    return {
      root: directory,
      server: at('test-engine', 'server', 'server.mjs'),
      runner: at('test-engine', 'client', 'runner.mjs'),
      judge: at('test-engine', 'lib', 'results.mjs'),
      tests: [at('tests', 'index.mjs')],
      fetch: undefined,
    };
  }
  if (fs.existsSync(at('client', 'runner.mjs'))) {
    return {
      root: directory,
      server: at('server', 'server.mjs'),
      runner: at('client', 'runner.mjs'),
      judge: at('lib', 'display.mjs'),
      // Its own command adds the second one to the first.
      tests: [at('tests', 'index.mjs'), at('tests', 'surrogate-control.mjs')],
      // Node's own fetch would put `Cache-Control: no-cache` into the requests of this version.
      fetch: requireFrom(directory, 'node-fetch'),
    };
  }
  throw new Error(`${directory}: expected the suite ${PACKAGE}, found neither test-engine/ nor client/runner.mjs`);
}

function packageDirectory() {
  try {
    return path.dirname(require.resolve(`${PACKAGE}/package.json`, { paths: [__dirname] }));
  } catch {
    throw new Error(`the package ${PACKAGE} is not installed (run: npm install)`);
  }
}

/** The path of a package that the suite depends on. */
function requireFrom(directory, name) {
  try {
    return require.resolve(name, { paths: [directory] });
  } catch {
    throw new Error(`${directory}: the suite needs the package ${name} (run npm install in it)`);
  }
}

module.exports = { findSuite };
