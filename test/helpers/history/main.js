'use strict';
// npm run check:history -- --seconds 900 --seed 7

const { runHistory } = require('./run');

function argument(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = Number(process.argv[at + 1]);
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error('usage: npm run check:history -- [--seconds N] [--seed N]');
    process.exit(2);
  }
  return value;
}

async function main() {
  const seed = argument('seed', 1 + (Date.now() % 1_000_000));
  const seconds = argument('seconds', 900);
  console.log(`seed ${seed}, ${seconds} s`);
  const { wrong, checked, effective, faults } = await runHistory({ seed, seconds, say: console.log });
  console.log(faults);
  for (const line of wrong.slice(0, 50)) console.log(line);
  console.log(`${checked} reads checked (${effective} of just what was in force), ${wrong.length} wrong, seed ${seed}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
