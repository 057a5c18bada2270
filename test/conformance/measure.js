'use strict';
// One or more runs of the suite against Tiercel, at the same time: a run is almost all waiting.

const { startOrigin } = require('./origin');
const { runSuite } = require('./run-suite');
const { findSuite } = require('./suite');
const { startTarget } = require('./target');

/**
 * @typedef {Parameters<typeof startTarget>[1]} TargetOptions
 * @typedef {object} RunOptions
 * @property {string} [suite] a checkout of the repository in place of the package
 * @property {string[]} [only]
 * @property {number} [concurrency]
 * @property {boolean} [verbose]
 */

/**
 * @param {TargetOptions[]} targets
 * @param {RunOptions} [options]
 * @returns {Promise<import('./run-suite').TestResult[][]>} in the order of the targets
 */
async function measure(targets, { suite: root, verbose, ...run } = {}) {
  const suite = findSuite(root);
  const origin = await startOrigin(suite, { verbose });
  try {
    return await Promise.all(
      targets.map(async (options) => {
        const target = await startTarget(origin.target, options);
        try {
          return await runSuite(suite, target.baseUrl, { ...run, verbose });
        } finally {
          await target.stop();
        }
      }),
    );
  } finally {
    await origin.stop();
  }
}

module.exports = { measure };
