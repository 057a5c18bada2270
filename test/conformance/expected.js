'use strict';
// What is known not to pass, and why: expected.json has, per profile, the ids of those tests with a reason each.

const fs = require('node:fs');
const path = require('node:path');
const { isPassed } = require('./run-suite');

const FILE = path.join(__dirname, 'expected.json');

/** @returns {Record<string, Record<string, string>>} */
function read() {
  return fs.existsSync(FILE) ? JSON.parse(fs.readFileSync(FILE, 'utf8')) : {};
}

/**
 * How a run differs from what is known; empty when it does not.
 * @param {string} profile
 * @param {import('./run-suite').TestResult[]} tests
 * @returns {Array<{ id: string, text: string }>}
 */
function differences(profile, tests) {
  const known = read()[profile] ?? {};
  const found = [];
  for (const test of tests) {
    const { id, outcome, reason } = test;
    if (isPassed(test) !== Object.hasOwn(known, id)) continue;
    const wanted = isPassed(test) ? `is expected not to pass: ${known[id]}` : 'is expected to pass';
    found.push({ id, text: `${id}: ${outcome}${reason && ` (${reason})`}, and ${wanted}` });
  }
  const ids = new Set(tests.map(({ id }) => id));
  for (const id of Object.keys(known)) {
    if (!ids.has(id)) found.push({ id, text: `${id}: is expected not to pass, and the suite has no such test` });
  }
  return found;
}

/**
 * Writes what did not pass, with the reason that is known already, else with what the suite saw.
 * @param {string} profile
 * @param {import('./run-suite').TestResult[]} tests
 */
function update(profile, tests) {
  const all = read();
  const known = all[profile] ?? {};
  const missed = tests
    .filter((test) => !isPassed(test))
    .map(({ id, outcome, reason }) => [id, known[id] ?? (reason || outcome)]);
  all[profile] = Object.fromEntries(missed.sort(([a], [b]) => (a < b ? -1 : 1)));
  fs.writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
}

module.exports = { differences, update };
