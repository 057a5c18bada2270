'use strict';
// The flags that the benchmarks share.

const { parseArgs } = require('node:util');

function usage(message, name, defaults) {
  console.error(`${message}
usage: npm run bench:${name} -- [--seconds S] [--rounds N] [--only TEXT] [--libraries a,b] [--json FILE]
  --seconds    length of one round (default ${defaults.seconds})
  --rounds     rounds per library and case, of which the median counts (default ${defaults.rounds})
  --only       cases whose title contains this text
  --libraries  libraries to compare, by the names in the table
  --json       also writes the figures to this file`);
  process.exit(2);
}

function readOptions(name, defaults) {
  const text = { type: 'string' };
  let values;
  try {
    ({ values } = parseArgs({ options: { seconds: text, rounds: text, only: text, libraries: text, json: text } }));
  } catch (error) {
    usage(error.message, name, defaults);
  }
  const seconds = Number(values.seconds ?? defaults.seconds);
  const rounds = Number(values.rounds ?? defaults.rounds);
  if (!(seconds > 0)) usage('--seconds must be a number above 0', name, defaults);
  if (!Number.isInteger(rounds) || rounds < 1) usage('--rounds must be a whole number above 0', name, defaults);
  return { seconds, rounds, only: values.only ?? '', libraries: values.libraries?.split(','), json: values.json };
}

module.exports = { readOptions };
