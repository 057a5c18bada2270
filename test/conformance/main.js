'use strict';
// Runs the public conformance suite of HTTP caches against cacheResponse, and prints what it says.
//
//   node test/conformance/main.js --mount middleware|front|none --profile safe|standards
//     [--suite PATH]      a checkout of https://github.com/http-tests/cache-tests; default: the package
//     [--redis [URL]]     with a second tier: that server, or a private one
//     [--only ID,ID]      these tests, and those that they depend on
//     [--express 4|5]     default: 5
//     [--fields raw|parsed]  where the app's proxy reads a request's fields: rawHeaders (default) or headers
//     [--concurrency N]   tests at a time; default: 50. Fewer take longer, and can do with a busier machine
//     [--json FILE]       leaves all results there
//     [--update]          writes what did not pass to expected.json; keeps the reasons that are there
//     [--verbose]         shows the checks, too, and what the suite prints

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { RedisServer } = require('../helpers/redis-server');
const expected = require('./expected');
const { measure } = require('./measure');
const { PROFILES } = require('./options');
const { isPassed, score } = require('./run-suite');
const { MOUNTS } = require('./target');

const OPTIONS = /** @type {const} */ ({
  mount: { type: 'string', default: 'middleware' },
  profile: { type: 'string', default: 'safe' },
  suite: { type: 'string' },
  redis: { type: 'boolean', default: false },
  only: { type: 'string' },
  express: { type: 'string', default: '5' },
  fields: { type: 'string', default: 'raw' },
  concurrency: { type: 'string', default: '50' },
  json: { type: 'string' },
  update: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});

function oneOf(name, value, choices) {
  if (!choices.includes(value)) throw new Error(`--${name}: expected ${choices.join(' or ')}, got '${value}'`);
  return value;
}

function parse(argv) {
  const { values, positionals } = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  // The URL behind --redis; parseArgs has no option with an optional value.
  const [url, ...rest] = positionals;
  if (rest.length > 0 || (url !== undefined && !(values.redis && /^(redis|rediss|unix):/.test(url)))) {
    throw new Error(`not understood: '${positionals.join(' ')}'`);
  }
  const concurrency = Number(values.concurrency);
  if (!(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new Error(`--concurrency: expected a positive integer, got '${values.concurrency}'`);
  }
  if (values.update && (values.suite !== undefined || values.only !== undefined || values.mount === 'none')) {
    throw new Error('--update: expected.json is about the whole of the package, with a cache');
  }
  return {
    ...values,
    url,
    concurrency,
    mount: oneOf('mount', values.mount, MOUNTS),
    profile: oneOf('profile', values.profile, Object.keys(PROFILES)),
    express: /** @type {4 | 5} */ (Number(oneOf('express', values.express, ['4', '5']))),
    fields: oneOf('fields', values.fields, ['raw', 'parsed']),
    only: values.only?.split(',').map((id) => id.trim()),
  };
}

/** @param {import('./run-suite').TestResult[]} tests */
function print(tests, verbose) {
  const { required, optimal, check } = score(tests);
  const line = (/** @type {{ passed: number, total: number }} */ { passed, total }) => `${passed}/${total}`;
  console.log(`required ${line(required)}   optimal ${line(optimal)}   checks yes ${line(check)}`);
  for (const kind of ['required', 'optimal', 'check']) {
    const missed = tests.filter((test) => test.kind === kind && !isPassed(test));
    // A check that says no is no fault.
    const shown = kind === 'check' && !verbose ? missed.filter(({ outcome }) => outcome !== 'no') : missed;
    if (shown.length === 0) continue;
    console.log(`\n${kind}, not passed:`);
    for (const { id, outcome, reason } of shown) console.log(`  ${id}: ${outcome}${reason && ` (${reason})`}`);
  }
}

async function main() {
  const options = parse(process.argv.slice(2));
  const { suite, only, concurrency, verbose, mount, profile, express, fields } = options;
  const server = options.redis && options.url === undefined ? await RedisServer.start() : undefined;
  try {
    const redis = options.url ?? server?.url;
    const began = Date.now();
    const [tests] = await measure([{ mount, profile, express, fields, redis }], { suite, only, concurrency, verbose });
    console.log(`${mount}, ${profile}, Express ${express}, ${Math.round((Date.now() - began) / 1000)} s`);
    print(tests, verbose);
    if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(tests, null, 2)}\n`);
    if (options.update) expected.update(profile, tests);
  } finally {
    await server?.stop();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
