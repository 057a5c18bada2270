'use strict';
// The flags that the benchmarks share.

const { parseArgs } = require('node:util');

const QUICK = { seconds: 0.3, rounds: 1 };

function usage(message, name, defaults) {
  console.error(`${message}
usage: npm run bench:${name} -- [--seconds S] [--rounds N] [--only TEXT] [--libraries a,b] [--json FILE] [--quick]
  --seconds    length of one round (default ${defaults.seconds})
  --rounds     rounds per library and case, of which the median counts (default ${defaults.rounds})
  --only       cases whose title contains this text
  --libraries  libraries to compare, by the names in the table
  --json       also writes the figures to this file
  --quick      one short round of the most telling cases`);
  process.exit(2);
}

function readOptions(name, defaults) {
  const text = { type: 'string' };
  let values;
  try {
    const flags = { seconds: text, rounds: text, only: text, libraries: text, json: text, quick: { type: 'boolean' } };
    ({ values } = parseArgs({ options: flags }));
  } catch (error) {
    usage(error.message, name, defaults);
  }
  const quick = values.quick ?? false;
  const seconds = Number(values.seconds ?? (quick ? QUICK.seconds : defaults.seconds));
  const rounds = Number(values.rounds ?? (quick ? QUICK.rounds : defaults.rounds));
  if (!(seconds > 0)) usage('--seconds must be a number above 0', name, defaults);
  if (!Number.isInteger(rounds) || rounds < 1) usage('--rounds must be a whole number above 0', name, defaults);
  const { only = '', json } = values;
  return { seconds, rounds, quick, only, libraries: values.libraries?.split(','), json };
}

module.exports = { readOptions };
