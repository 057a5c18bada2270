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
 */
async function runBenchmark({ name, defaults, packages, cases }) {
  const options = readOptions(name, defaults);
  const pinned = pinning();
  const about = environment(packages, redisProgram());
  const results = [];
  printEnvironment(about, pinned);

  await withServer(pinned?.server, async (server) => {
    for (const { title, adapters, parameters } of cases.filter((one) => one.title.includes(options.only))) {
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
  if (failed.length > 0 || results.length === 0) process.exitCode = 1;
}

module.exports = { runBenchmark };
