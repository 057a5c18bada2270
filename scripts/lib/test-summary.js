'use strict';
// Adds up what scripts/test.sh ran, prints it, and ends with the line `N passed, N failed`. Exit code 1 if any failed.
//
//   node scripts/lib/test-summary.js RESULTS_DIRECTORY
//
// steps.tsv has one line per step: kind, name, exit code, seconds. Tests are counted from the report of their runner.
// A step whose exit code is bad although its report shows no failure (a crash, no report) counts as one failure.
// The GoogleTest cases are counted once in each mode: in the release build, or under ASan and UBSan; running some again
// under TSan is one check.

const fs = require('node:fs');
const path = require('node:path');

const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [] };

function readReport(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function countCtest(file) {
  const report = readReport(file);
  if (report === undefined) return NOTHING;
  const attribute = (name) => Number(new RegExp(`<testsuite[^>]*\\b${name}="(\\d+)"`).exec(report)?.[1] ?? 0);
  const failed = attribute('failures');
  const skipped = attribute('skipped') + attribute('disabled');
  const failures = [...report.matchAll(/<testcase name="([^"]*)"[^>]*status="fail"/g)].map((match) => match[1]);
  return { passed: attribute('tests') - failed - skipped, failed, skipped, failures };
}

function countJest(file) {
  const report = readReport(file);
  if (report === undefined) return NOTHING;
  const result = JSON.parse(report);
  const failures = [];
  for (const suite of result.testResults) {
    const name = path.relative(process.cwd(), suite.name);
    const tests = suite.assertionResults.filter((test) => test.status === 'failed');
    for (const test of tests) failures.push(`${name}: ${test.fullName}`);
    if (suite.status === 'failed' && tests.length === 0) failures.push(`${name}: the file did not run`);
  }
  return {
    passed: result.numPassedTests,
    failed: failures.length,
    skipped: result.numPendingTests + result.numTodoTests,
    failures,
  };
}

function countStep(directory, { kind, name, code }) {
  let count = NOTHING;
  if (kind === 'ctest' && name !== 'thread') count = countCtest(path.join(directory, `ctest-${name}.xml`));
  else if (kind === 'jest') count = countJest(path.join(directory, `${name}.json`));
  else if (kind !== 'prepare' && code === 0) count = { ...NOTHING, passed: 1 };
  if (code !== 0 && count.failed === 0) count = { ...count, failed: 1, failures: [`${name}: exit code ${code}`] };
  return count;
}

const TITLES = {
  'ctest release': 'GoogleTest',
  'ctest sanitize': 'GoogleTest under ASan and UBSan',
  'ctest thread': 'GoogleTest under TSan',
  'fuzz fuzz': 'Fuzzing under ASan and UBSan',
  'jest jest': 'Jest',
  'jest conformance': 'HTTP conformance',
};

function main([directory]) {
  const lines = (readReport(path.join(directory, 'steps.tsv')) ?? '').split('\n').filter(Boolean);
  const total = { passed: 0, failed: lines.length === 0 ? 1 : 0, failures: [] };
  console.log('');
  for (const line of lines) {
    const [kind, name, code, seconds] = line.split('\t');
    const count = countStep(directory, { kind, name, code: Number(code) });
    total.passed += count.passed;
    total.failed += count.failed;
    total.failures.push(...count.failures);
    if (kind === 'prepare' && count.failed === 0) continue;
    const title = TITLES[`${kind} ${name}`] ?? name;
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    console.log(`${title.padEnd(32)} ${count.passed} passed, ${count.failed} failed${skipped} (${seconds} s)`);
  }
  for (const failure of total.failures) console.log(`failed: ${failure}`);
  const summary = `${total.passed} passed, ${total.failed} failed`;
  fs.writeFileSync(path.join(directory, 'summary.txt'), `${summary}\n`);
  console.log(summary);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

main(process.argv.slice(2));
