'use strict';
// npm run bench:memory [-- --entries N --bytes N --rounds N]: the memory tier alone against lru-cache and a Map. Each in a
// process of its own, in turn; medians of the rounds.

const { fork } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

const LIBRARIES = ['none', 'map', 'lru-cache', 'tiercel'];

const text = { type: 'string' };
const { values } = parseArgs({ options: { entries: text, bytes: text, rounds: text } });
const entries = Number(values.entries ?? 1_000_000);
const bytes = Number(values.bytes ?? 200);
const rounds = Number(values.rounds ?? 3);

function run(library) {
  return new Promise((resolve, reject) => {
    const file = path.join(__dirname, 'lib', 'memory-child.js');
    const child = fork(file, [library, String(entries), String(bytes)], { execArgv: ['--expose-gc'] });
    let result;
    child.once('message', (message) => (result = message));
    child.once('exit', (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`${library} ended with exit code ${code}`));
    });
  });
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

function row(library, results) {
  const of = (name, digits = 0) => {
    const known = results.map((result) => result[name]).filter((value) => value !== undefined && value !== null);
    return known.length === 0 ? '' : median(known).toFixed(digits);
  };
  return [
    library,
    of('rss'),
    of('overhead'),
    of('counted'),
    of('setNs'),
    of('getNs'),
    of('longestPause', 1),
    of('gcShare', 3),
    of('loopP99', 1),
    of('loopMax', 1),
  ];
}

async function main() {
  const { version } = require('./lib/table');
  const peer = version('lru-cache');
  console.log(`${os.cpus()[0].model.trim()}; Node ${process.version}; lru-cache ${peer}`);
  console.log(`${entries.toLocaleString('en-US')} entries of ${bytes} B, keys of 19 B\n`);
  const all = new Map(LIBRARIES.map((library) => [library, []]));
  for (let round = 0; round < rounds; round++) {
    for (const library of LIBRARIES) {
      const result = await run(library);
      if (result.wrong > 0) throw new Error(`${library}: ${result.wrong} wrong values`);
      all.get(library).push(result);
    }
  }
  const head = [
    '',
    'RSS MiB',
    'overhead B',
    'counted B',
    'set ns',
    'get ns',
    'longest GC ms',
    'GC share',
    'loop p99 ms',
    'max ms',
  ];
  const rows = [head, ...LIBRARIES.map((library) => row(library, all.get(library)))];
  const widths = head.map((_, i) => Math.max(...rows.map((cells) => cells[i].length)));
  for (const cells of rows) {
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
