'use strict';
// The frame of a benchmark: server, cases one after the other, tables, JSON, exit code.

const { compare, pinning } = require('./children');
const { readOptions } = require('./options');
const { redisProgram, withServer } = require('./server');
const { environment, printEnvironment, printTable, writeJson } = require('./table');

/**
 * @param {object} benchmark
 * @param {string} benchmark.name as in `npm run bench:name`
 * @param {{ seconds: number, rounds: number }} benchmark.defaults
 * @param {string[]} benchmark.packages whose versions are printed
 * @param {Array<{ title: string, adapters: string[], parameters: object }>} benchmark.cases
 *   with `quick: true` on those that --quick runs; all, when none has it
 * @param {number} [benchmark.maxLoopDelay] ms that the event loop of Tiercel's process may be late (p99)
 */
async function runBenchmark({ name, defaults, packages, cases, maxLoopDelay = Infinity }) {
  const options = readOptions(name, defaults);
  const pinned = pinning();
  const about = environment(packages, redisProgram());
  const results = [];
  const quick = options.quick && cases.some((one) => one.quick);
  const wanted = cases.filter((one) => one.title.includes(options.only) && (!quick || one.quick));
  printEnvironment(about, pinned);

  await withServer(pinned?.server, async (server) => {
    for (const { title, adapters, parameters } of wanted) {
      const chosen = adapters.filter((adapter) => !options.libraries || options.libraries.includes(adapter));
      const rows = await compare({ ...parameters, server }, chosen, { ...options, core: pinned?.client });
      printTable(title, rows);
      results.push({ title, parameters, rows });
    }
  });
  writeJson(options.json, { benchmark: name, ...about, seconds: options.seconds, pinned: Boolean(pinned), results });

  const failed = results.flatMap(({ title, rows }) =>
    rows.filter((row) => row.error).map((row) => ({ title, ...row })),
  );
  for (const { title, adapter, error } of failed) console.error(`${title}, ${adapter}: ${error}`);
  const late = results.filter(({ rows }) =>
    rows.some((row) => row.adapter === 'tiercel' && row.loopP99 > maxLoopDelay),
  );
  for (const { title } of late) {
    console.error(`${title}: the event loop was late by more than ${maxLoopDelay} ms (p99)`);
  }
  if (failed.length > 0 || late.length > 0 || results.length === 0) process.exitCode = 1;
}

module.exports = { runBenchmark };
