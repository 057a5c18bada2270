'use strict';
// npm run bench:http [-- --seconds S --rounds N --bytes N --json FILE --quick]: hits of the HTTP cache against servers
// without one, apicache and nginx. One server at a time has a core to itself; the load, and Redis, are on the other one.
// Rounds in turn, medians. The tables compare; whether a target is met is said below them.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { once } = require('node:events');
const { parseArgs } = require('node:util');

const { pinning } = require('./lib/children');
const { loadProgram, measure, CONNECTIONS } = require('./lib/http-load');
const { nginxVersion, startNginx } = require('./lib/nginx');
const { redisProgram, withServer } = require('./lib/server');
const { environment, writeJson } = require('./lib/table');

const PACKAGES = ['tiercel', 'express', 'apicache'];
const TARGET_PATH = '/api/items/42';
const SERVER = path.join(__dirname, 'lib', 'http-server.js');

const ROWS = [
  { name: 'bare', title: 'http.createServer, constant body' },
  { name: 'front', title: 'tiercel front(), memory' },
  { name: 'front-redis', title: 'tiercel front(), Redis only' },
  { name: 'express', title: 'Express, constant body by res.end' },
  { name: 'express-send', title: 'Express, constant body by res.send' },
  { name: 'middleware', title: 'tiercel middleware, memory' },
  { name: 'middleware-redis', title: 'tiercel middleware, Redis only' },
  { name: 'apicache', title: 'apicache in Express' },
  { name: 'nginx', title: 'nginx proxy_cache' },
];

/** What is asked of the first of the two, in times the second. */
const TARGETS = [
  ['front', 'bare', 0.85],
  ['front', 'apicache', 5.5],
  ['middleware', 'express', 1],
  ['front-redis', 'front', 0.5],
];

function readOptions() {
  const text = { type: 'string' };
  const flags = { seconds: text, rounds: text, bytes: text, json: text, quick: { type: 'boolean' } };
  try {
    const { values } = parseArgs({ options: flags });
    const quick = values.quick ?? false;
    const number = (name, otherwise) => {
      const value = Number(values[name] ?? otherwise);
      if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
      return value;
    };
    const seconds = number('seconds', quick ? 1 : 3);
    return { seconds, rounds: number('rounds', quick ? 1 : 5), bytes: number('bytes', 10_240), json: values.json };
  } catch (error) {
    console.error(`${error.message}
usage: npm run bench:http -- [--seconds S] [--rounds N] [--bytes N] [--json FILE] [--quick]
  --seconds  length of one round (default 3)
  --rounds   rounds per server, of which the median counts (default 5)
  --bytes    of the JSON body (default 10240)
  --json     also writes the figures to this file
  --quick    one round of a second`);
    return process.exit(2);
  }
}

/** One of our own servers, in a process on the server's core. */
async function startServer(variant, bytes, redis, core) {
  const prefix = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [program, ...args] = [...prefix, process.execPath, SERVER, variant, String(bytes), redis];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [said] = await Promise.race([
    once(child.stdout, 'data'),
    ended.then(([code]) => Promise.reject(new Error(`${variant} ended with exit code ${code}`))),
  ]);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { port: Number(String(said)), pid: child.pid, stop };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Starts all, asks them in turn, ends all. */
async function measureAll(rows, { seconds, rounds, bytes }, { program, redis, pinned }) {
  const servers = [];
  try {
    for (const { name } of rows) {
      if (name === 'nginx') {
        const origin = await startServer('origin', bytes, redis, pinned?.server);
        servers.push({ name: 'origin', ...origin });
        const nginx = await startNginx(`http://127.0.0.1:${origin.port}`, pinned?.server);
        servers.push({ name, ...nginx, results: [] });
      } else {
        servers.push({ name, ...(await startServer(name, bytes, redis, pinned?.server)), results: [] });
      }
    }
    const asked = servers.filter(({ results }) => results !== undefined);
    for (let round = 0; round <= rounds; round++) {
      for (const { name, port, pid, results } of asked) {
        const server = { url: `http://127.0.0.1:${port}${TARGET_PATH}`, pids: [pid] };
        const result = await measure(program, server, round === 0 ? 1 : seconds, pinned?.client).catch((error) => {
          throw new Error(`${name}: ${error.message}`, { cause: error });
        });
        // The first round warms up, and fills the caches.
        if (round > 0) results.push(result);
      }
    }
    return Object.fromEntries(
      asked.map(({ name, results }) => {
        const of = (figure) => median(results.map((result) => result[figure]));
        return [name, { perSecond: of('perSecond'), p99: of('p99'), cpuPerRequest: of('cpuPerRequest'), results }];
      }),
    );
  } finally {
    for (const { stop } of servers) await stop();
  }
}

function print(head, lines) {
  const widths = head.map((cell, i) => Math.max(cell.length, ...lines.map((line) => line[i].length)));
  const row = (cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  console.log(row(head));
  console.log(row(widths.map((width, i) => '-'.repeat(width - (i > 0)) + (i > 0 ? ':' : ''))));
  for (const line of lines) console.log(row(line));
  console.log('');
}

function report(rows, figures) {
  print(
    ['', 'requests/s', '/ bare', 'p99 ms', 'CPU us/request'],
    rows.map(({ name, title }) => {
      const { perSecond, p99, cpuPerRequest } = figures[name];
      return [
        title,
        Math.round(perSecond).toLocaleString('en-US'),
        (perSecond / figures.bare.perSecond).toFixed(2),
        (p99 / 1000).toFixed(2),
        Number.isNaN(cpuPerRequest) ? '' : cpuPerRequest.toFixed(1),
      ];
    }),
  );
  const ratios = TARGETS.map(([own, other, wanted]) => {
    const ratio = figures[own].perSecond / figures[other].perSecond;
    // Where something else takes the core now and then, this one is steadier.
    const byCpu = figures[other].cpuPerRequest / figures[own].cpuPerRequest;
    return { own, other, wanted, ratio, byCpu, isMet: ratio >= wanted };
  });
  print(
    ['', 'at least', 'requests/s', 'CPU', 'met'],
    ratios.map(({ own, other, wanted, ratio, byCpu, isMet }) => [
      `${own} / ${other}`,
      wanted.toFixed(2),
      ratio.toFixed(2),
      Number.isNaN(byCpu) ? '' : byCpu.toFixed(2),
      isMet ? 'yes' : 'NO',
    ]),
  );
  return ratios;
}

async function main() {
  const options = readOptions();
  const load = loadProgram();
  if (load === undefined) {
    throw new Error('there is neither wrk (npm run bench:http installs it for root) nor autocannon');
  }
  const pinned = pinning();
  const nginx = nginxVersion();
  const about = environment(PACKAGES, redisProgram());
  const rows = ROWS.filter(({ name }) => name !== 'nginx' || nginx !== undefined);

  const versions = Object.entries({ ...about.packages, nginx: nginx ?? 'missing', [load.name]: load.version });
  console.log(`${about.machine}; Node ${about.node}; Redis ${about.redis} on loopback`);
  console.log(versions.map((pair) => pair.join(' ')).join(', '));
  if (load.name !== 'wrk') {
    console.log('wrk is missing: autocannon is slower than the fastest servers, compare their CPU');
  }
  if (nginx === undefined) console.log('nginx is missing: its row is left out');
  const pins = pinned
    ? `server on core ${pinned.server}, load and Redis on core ${pinned.client}`
    : 'NOT pinned to cores';
  console.log(`${CONNECTIONS} connections, ${options.bytes} B of JSON, ${pins}, rounds in turn, medians\n`);

  const figures = await withServer(pinned?.client, ({ url }) =>
    measureAll(rows, options, { program: load.name, redis: url, pinned }),
  );
  const ratios = report(rows, figures);
  writeJson(options.json, {
    benchmark: 'http',
    ...about,
    nginx,
    load,
    pinned: Boolean(pinned),
    options,
    figures,
    ratios,
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
