'use strict';
// Whether memory.maxBytes is a budget: how much more a process takes with a cache of 64 MB than with one of 64 KB that does
// the same work, for small values, large ones, objects, many tags, namespaces and mounts. What V8 keeps of its own garbage
// is in both. Exits with 1 when a case takes over 15 % more than its budget.
// usage: node bench/memory-budget.js [budget in MB]
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const LIB = path.join(__dirname, '..', 'lib');
const MB = 2 ** 20;
const CONTROL = 64 * 1024;
const MOST = 1.15;

const turn = () => new Promise((resolve) => void setImmediate(resolve));
const user = (i) => ({ id: i, name: `name of ${i}`, email: `user${i}@example.org`, tags: ['a', 'b'], address: { street: `Street ${i}`, city: 'City' } }); // prettier-ignore

const CASES = {
  'texts of 200 B': async (cache, each) => each(500_000, (i) => [`text:${i}`, 'v'.repeat(200 + (i % 50))], cache),
  'texts of 100 KB': async (cache, each) => each(2_000, (i) => [`large:${i}`, 'v'.repeat(100_000 + i)], cache),
  'objects of 8 B': async (cache, each) => each(1_500_000, (i) => [`user:${i}:profile:settings`, { a: 1 }], cache),
  'objects of 130 B': async (cache, each) => each(500_000, (i) => [`user:${i}`, user(i)], cache),
  'one tag each': async (cache, each) =>
    each(700_000, (i) => [`tagged:${i}`, 'v', { tags: [`user:${i}:0123456789abcdef`] }], cache),
  'three tags each': async (cache, each) => each(400_000, (i) => [`tagged:${i}`, 'v', { tags: [0, 1, 2].map((j) => `user:${i}:part:${j}:0123456789abcdef`) }], cache), // prettier-ignore
  '8 namespaces': async (cache, each) => {
    for (let n = 0; n < 8; n++) await each(80_000, (i) => [`user:${i}`, user(i)], cache.namespace(`part${n}`));
  },
  '2,000 namespaces': async (cache, each) => {
    for (let n = 0; n < 2000; n++) {
      const part = cache.namespace(`tenant${n}`);
      await each(200, (i) => [`user:${i}`, user(i)], part);
      await part.close();
    }
  },
};

/** In a process of its own. */
async function child(name, maxBytes) {
  const { createCache } = require(LIB);
  const collect = async () => {
    for (let i = 0; i < 5; i++) {
      globalThis.gc();
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    return process.memoryUsage().rss;
  };
  const each = async (count, of, cache) => {
    for (let i = 0; i < count; i++) {
      const [key, value, options] = of(i);
      void cache.set(key, value, options);
      cache.peek(key);
      if (i % 500 === 0) await turn();
    }
  };
  const cache = createCache({ redis: false, memory: { maxBytes } });
  const before = await collect();
  await CASES[name](cache, each);
  const after = await collect();
  console.log(JSON.stringify({ grown: after - before, stats: cache.memory.stats() }));
  await cache.close();
}

function main() {
  const budget = Number(process.argv[2] ?? 64) * MB;
  const run = (name, maxBytes) => {
    const args = ['--expose-gc', __filename, '--child', name, String(maxBytes)];
    const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name}: exit code ${status}: ${stderr}`);
    return JSON.parse(stdout);
  };
  const mb = (bytes) => (bytes / MB).toFixed(1).padStart(8);
  console.log(`budget ${budget / MB} MB; RSS beyond that of the same work with ${CONTROL / 1024} KB`);
  console.log(
    `${''.padEnd(18)} ${'RSS MB'.padStart(8)} ${'of budget'.padStart(9)} ${'entries'.padStart(8)} ${'tags'.padStart(8)} ${'values'.padStart(8)}  count`,
  );
  let missed = false;
  for (const name of Object.keys(CASES)) {
    const { grown, stats } = run(name, budget);
    const own = grown - run(name, CONTROL).grown;
    missed ||= own > MOST * budget;
    const share = `${((100 * own) / budget).toFixed(0)} %`.padStart(9);
    console.log(
      `${name.padEnd(18)} ${mb(own)} ${share} ${mb(stats.entryBytes)} ${mb(stats.tagBytes)} ${mb(stats.valueBytes)}  ${stats.entries}`,
    );
  }
  process.exitCode = missed ? 1 : 0;
}

if (process.argv[2] === '--child') void child(process.argv[3], Number(process.argv[4]));
else main();
