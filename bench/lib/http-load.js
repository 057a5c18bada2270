'use strict';
// Load for bench/http.js: wrk, or autocannon where there is no wrk, on the client's core. Asks one server for a while, and
// says what came of it: requests per second, latency, and what it cost the server.

const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);
const AUTOCANNON = path.join(__dirname, '..', '..', 'node_modules', '.bin', 'autocannon');
const CONNECTIONS = 32;
/** Ticks of /proc/PID/stat in a second: what Linux tells user space, on every machine. */
const TICKS_PER_SECOND = 100;
const UNITS = { us: 1, ms: 1e3, s: 1e6 };

/** Name and version of the program that makes the load; undefined when there is none. */
function loadProgram() {
  // It says its version, and then that it lacks a URL.
  const wrk = spawnSync('wrk', ['-v'], { encoding: 'utf8' });
  if (wrk.error === undefined) return { name: 'wrk', version: /wrk \S*?([\d.]{3,})/.exec(wrk.stdout)?.[1] ?? '' };
  if (!fs.existsSync(AUTOCANNON)) return undefined;
  const file = path.join(__dirname, '..', '..', 'node_modules', 'autocannon', 'package.json');
  return { name: 'autocannon', version: JSON.parse(fs.readFileSync(file, 'utf8')).version };
}

/** CPU seconds that processes have used; NaN where nobody tells. */
function cpuOf(pids) {
  try {
    return pids.reduce((sum, pid) => {
      const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return NaN;
  }
}

async function withWrk(url, seconds, prefix) {
  // wrk takes whole seconds.
  const flags = ['-t1', `-c${CONNECTIONS}`, `-d${Math.max(1, Math.round(seconds))}s`, '--latency'];
  const [program, ...args] = [...prefix, 'wrk', ...flags, url];
  const { stdout } = await run(program, args);
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    p99: Number(amount) * UNITS[unit],
    // Slow is not wrong: what took longer than wrk waits shows in the p99.
    failed: /Non-2xx.*|Socket errors: (?!connect 0, read 0, write 0).*/.exec(stdout)?.[0],
  };
}

async function withAutocannon(url, seconds, prefix) {
  const flags = ['-j', '-c', String(CONNECTIONS), '-d', String(Math.max(1, Math.round(seconds)))];
  const [program, ...args] = [...prefix, AUTOCANNON, ...flags, url];
  const { stdout } = await run(program, args, { maxBuffer: 1 << 24 });
  const result = JSON.parse(stdout);
  return {
    requests: result.requests.total,
    perSecond: result.requests.average,
    p99: result.latency.p99 * UNITS.ms,
    failed:
      result.non2xx + result.errors > result.timeouts ? `${result.non2xx} not 2xx, ${result.errors} errors` : undefined,
  };
}

/**
 * @param {string} program 'wrk' or 'autocannon'
 * @param {{ url: string, pids: number[] }} server
 * @param {number} seconds
 * @param {number} [core] where the load is made
 * @returns {Promise<{ perSecond: number, p99: number, cpuPerRequest: number }>} p99 and CPU in microseconds
 */
async function measure(program, { url, pids }, seconds, core) {
  const prefix = core === undefined ? [] : ['taskset', '-c', String(core)];
  const before = cpuOf(pids);
  const result = await (program === 'wrk' ? withWrk : withAutocannon)(url, seconds, prefix);
  const used = cpuOf(pids) - before;
  if (result.failed !== undefined) throw new Error(`${program}: ${url}: ${result.failed}`);
  if (result.requests === 0) throw new Error(`${program}: ${url} answered nothing`);
  return { perSecond: result.perSecond, p99: result.p99, cpuPerRequest: (used / result.requests) * 1e6 };
}

module.exports = { loadProgram, measure, CONNECTIONS };
