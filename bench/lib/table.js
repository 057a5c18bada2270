'use strict';
// Prints the results of one case as a table, the machine and the versions, and writes the JSON file.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

function version(name) {
  const directory = name === 'tiercel' ? ROOT : path.join(ROOT, 'node_modules', name);
  return JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')).version;
}

/** What the figures depend on. */
function environment(packages, redisProgram) {
  const redis = execFileSync(redisProgram, ['--version'], { encoding: 'utf8' });
  return {
    date: new Date().toISOString(),
    machine: `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${os.type()} ${os.release()}`,
    node: process.version,
    redis: /v=(\S+)/.exec(redis)?.[1],
    packages: Object.fromEntries(packages.map((name) => [name, version(name)])),
  };
}

function printEnvironment({ machine, node, redis, packages }, pinned) {
  console.log(`${machine}; Node ${node}; Redis ${redis} on loopback`);
  console.log(
    Object.entries(packages)
      .map(([name, number]) => `${name} ${number}`)
      .join(', '),
  );
  const pins = pinned
    ? `client pinned to core ${pinned.client}, server to core ${pinned.server}`
    : 'NOT pinned to cores';
  console.log(`one process per library, ${pins}, rounds in turn, medians\n`);
}

const decimals = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));

/** Tiercel's figure over that of the row: the CPU ratio is good when small, the ops ratio when large. */
function ratios(row, own) {
  if (!own || own.error || row === own) return ['', ''];
  return [(own.cpuPerOp / row.cpuPerOp).toFixed(2), (own.opsPerSecond / row.opsPerSecond).toFixed(2)];
}

function printTable(title, rows) {
  const own = rows.find((row) => row.adapter === 'tiercel');
  const watched = rows.some((row) => row.loopP99 !== undefined);
  const head = [title, 'ops/s', 'CPU us/op', 'p50 us', 'p99 us', 'tiercel CPU / its', 'tiercel ops / its'];
  if (watched) head.push('loop late, p99 ms', 'max ms');
  const lines = rows.map((row) => {
    if (row.error) {
      return [row.adapter, `failed: ${row.error.split('\n')[0]}`, ...new Array(head.length - 2).fill('')];
    }
    const opsPerSecond = Math.round(row.opsPerSecond).toLocaleString('en-US');
    return [
      row.adapter,
      opsPerSecond,
      decimals(row.cpuPerOp),
      decimals(row.p50),
      decimals(row.p99),
      ...ratios(row, own),
      ...(watched ? [decimals(row.loopP99), decimals(row.loopMax)] : []),
    ];
  });
  const widths = head.map((cell, i) => Math.max(cell.length, ...lines.map((line) => line[i].length)));
  const print = (cells) => {
    const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
    console.log(`| ${padded.join(' | ')} |`);
  };
  print(head);
  print(widths.map((width, i) => '-'.repeat(width - (i > 0)) + (i > 0 ? ':' : '')));
  lines.forEach(print);
  console.log('');
}

function writeJson(file, content) {
  if (file) fs.writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

module.exports = { version, environment, printEnvironment, printTable, writeJson };
