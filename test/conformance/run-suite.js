'use strict';
// Runs the suite against a server, in a process of its own, and counts what it says.

const { fork } = require('node:child_process');
const path = require('node:path');

const RUN_TIMEOUT_MS = 140_000;

/**
 * @typedef {object} TestResult
 * @property {string} id
 * @property {string} suite
 * @property {string} name
 * @property {'required' | 'optimal' | 'check'} kind
 * @property {'pass' | 'fail' | 'not optimal' | 'yes' | 'no' | 'dependency failure' | 'setup failure'
 *   | 'harness failure' | 'retry' | 'untested'} outcome
 * @property {string} reason what the suite saw, empty when it saw what it wanted
 */

/**
 * @param {import('./suite').Suite} suite
 * @param {string} baseUrl
 * @param {object} [options]
 * @param {string[]} [options.only] ids; the tests that they depend on are run, too
 * @param {number} [options.concurrency] tests at a time; default: the suite's
 * @param {boolean} [options.verbose] shows what the suite prints, and the requests of the tests named
 * @returns {Promise<TestResult[]>}
 */
function runSuite(suite, baseUrl, { only, concurrency, verbose = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, 'suite-process.mjs'), {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', verbose ? 'inherit' : 'ignore', verbose ? 'inherit' : 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => finish(new Error(`the suite was not done in ${RUN_TIMEOUT_MS} ms`)), RUN_TIMEOUT_MS);

    /** @param {Error | undefined} error @param {TestResult[]} [tests] */
    function finish(error, tests) {
      clearTimeout(timer);
      child.removeAllListeners();
      child.kill('SIGKILL');
      if (error) reject(error);
      else resolve(/** @type {TestResult[]} */ (tests));
    }

    child.on('error', finish);
    child.on('exit', (code, signal) => finish(new Error(`the suite's process ended with ${signal ?? `code ${code}`}`)));
    child.on('message', ({ tests, failure }) => finish(failure ? new Error(failure) : undefined, tests));
    child.send({ suite, baseUrl, only, concurrency, verbose });
  });
}

const isPassed = (/** @type {TestResult} */ { outcome }) => outcome === 'pass' || outcome === 'yes';

/**
 * @param {TestResult[]} tests
 * @returns {Record<'required' | 'optimal' | 'check', { passed: number, total: number }>}
 */
function score(tests) {
  const counts = {
    required: { passed: 0, total: 0 },
    optimal: { passed: 0, total: 0 },
    check: { passed: 0, total: 0 },
  };
  for (const test of tests) {
    counts[test.kind].total++;
    if (isPassed(test)) counts[test.kind].passed++;
  }
  return counts;
}

module.exports = { runSuite, score, isPassed };
