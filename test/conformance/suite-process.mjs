// The process in which the suite's own runner works: it keeps its state in module variables, so one run needs one process.
// Sends the judged results of all tests to the parent.

import { pathToFileURL } from 'node:url';

// The names of the outcomes, by the signs that the suite prints for them.
const OUTCOMES = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'not optimal',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup failure',
  '⁉️': 'harness failure',
  '⚪️': 'dependency failure',
  '↻': 'retry',
  '-': 'untested',
};

// As in the suite's newer versions; in the older one a request that is never answered would stop the run.
const REQUEST_TIMEOUT_MS = 10_000;

const load = (file) => import(pathToFileURL(file).href);

/** The tests named, with all that they depend on: the suite judges none whose dependencies have not passed. */
function closure(suites, only) {
  const byId = new Map(suites.flatMap((suite) => suite.tests.map((test) => [test.id, test])));
  const wanted = new Set();
  const add = (id) => {
    if (!byId.has(id)) throw new Error(`the suite has no test '${id}'`);
    if (wanted.has(id)) return;
    wanted.add(id);
    (byId.get(id).depends_on ?? []).forEach(add);
  };
  only.forEach(add);
  return wanted;
}

async function run({ suite, baseUrl, only, concurrency, verbose }) {
  const { runTests, getResults } = await load(suite.runner);
  const { determineTestResult } = await load(suite.judge);
  const suites = (await Promise.all(suite.tests.map(load))).flatMap((module) => module.default);

  const wanted = only ? closure(suites, only) : undefined;
  const chosen = suites.map((set) => ({ ...set, tests: set.tests.filter(({ id }) => !wanted || wanted.has(id)) }));
  for (const test of chosen.flatMap(({ tests }) => tests)) if (verbose && only?.includes(test.id)) test.dump = true;

  if (suite.fetch) {
    const { default: fetch } = await load(suite.fetch);
    const timed = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await runTests(chosen, timed, false, baseUrl, concurrency);
  } else {
    await runTests(chosen, false, baseUrl, concurrency);
  }

  const results = getResults();
  const byId = new Map(suites.flatMap((set) => set.tests.map((test) => [test.id, test])));

  function outcomeOf(id) {
    if (['AbortError', 'TimeoutError'].includes(results[id]?.[0])) return 'harness failure';
    return OUTCOMES[determineTestResult(suites, id, results)[2]];
  }

  /** The tests at the bottom of a dependency failure. */
  function causesOf(id) {
    const failed = (byId.get(id).depends_on ?? []).filter((other) => !['pass', 'yes'].includes(outcomeOf(other)));
    const causes = failed.flatMap((other) => (outcomeOf(other) === 'dependency failure' ? causesOf(other) : [other]));
    return [...new Set(causes)];
  }

  function judge(set, test) {
    const result = results[test.id];
    const outcome = outcomeOf(test.id);
    let reason = Array.isArray(result) ? result.join(': ') : '';
    if (outcome === 'dependency failure') reason = `depends on ${causesOf(test.id).join(', ')}`;
    return { id: test.id, suite: set.id, name: test.name, kind: test.kind ?? 'required', outcome, reason };
  }

  return suites.flatMap((set) =>
    set.tests
      // What only browsers are asked does not count for others.
      .filter((test) => !test.browser_only && (!only || only.includes(test.id)))
      .map((test) => judge(set, test)),
  );
}

// It must not outlive the parent.
process.on('disconnect', () => process.exit(0));
process.on('message', (job) => {
  run(job).then(
    (tests) => process.send({ tests }),
    (error) => process.send({ failure: String((job.verbose && error?.stack) || (error?.message ?? error)) }),
  );
});
