'use strict';
// Hit ratios of the memory tier's eviction beside LRU and Belady's OPT, on recorded and on made-up access traces.
// TIERCEL_TRACES names the folder of the recorded ones. Exit code 1: a requirement is missed; 2: it could not run.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');

const ROOT = path.join(__dirname, '..');
const BUILD = path.join(ROOT, 'build', 'bench');
const PROGRAM = path.join(BUILD, 'bench', 'traces', 'tiercel_traces');
const TRACES = path.resolve(ROOT, process.env.TIERCEL_TRACES || path.join('..', 'shared', 'traces'));

const RECORDED = [
  { name: 'web07', file: 'web07.trace.xz', sizes: [300, 1000, 3000] },
  { name: 'multi1', file: 'multi1.trace.gz', sizes: [500, 1500] },
  { name: 'loop', file: 'loop.trace.gz', sizes: [500, 900] },
  { name: 'orm-busy', file: 'orm-busy.trace.xz', sizes: [1000, 10000] },
];
const SYNTHETIC_SIZES = [10, 100, 500, 1000, 2000];

const MAX_LOSS = 0.005; // of all accesses, under LRU
const MIN_SHARE = 0.4; // of the way from LRU to OPT, on average over the recorded traces
// Where LRU is that close to OPT, a share of the way says nothing.
const NO_WAY = 0.002;

function fail(message) {
  console.error(`bench:traces: ${message}`);
  process.exit(2);
}

function build() {
  const options = { cwd: ROOT, encoding: 'utf8' };
  for (const step of [
    ['-S', '.', '-B', BUILD, '-DTIERCEL_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'],
    ['--build', BUILD, '--target', 'tiercel_traces', '-j', String(os.cpus().length)],
  ]) {
    const { status, stdout, stderr, error } = spawnSync('cmake', step, options);
    if (status !== 0) fail(`cmake ${step.join(' ')}\n${error ?? stdout + stderr}`);
  }
}

function unpackXz(file) {
  const options = { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] };
  try {
    return execFileSync('xz', ['-dc', file], options);
  } catch {
    const script = 'import lzma, sys; sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())';
    return execFileSync('python3', ['-c', script, file], options);
  }
}

/** The trace as 32-bit ids, which is what the program reads. */
function unpack(file) {
  if (file.endsWith('.xz')) return unpackXz(file);
  const lines = zlib.gunzipSync(fs.readFileSync(file)).toString('latin1').split('\n');
  const keys = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('*'));
  return Buffer.from(Uint32Array.from(keys, Number).buffer);
}

function simulate(args, input) {
  const output = execFileSync(PROGRAM, args.map(String), { input, encoding: 'utf8', maxBuffer: 1 << 24 });
  return output
    .trim()
    .split('\n')
    .map((line) => {
      const [size, accesses, lru, ours, opt, nanos] = line.split(' ').map(Number);
      return { size, lru: lru / accesses, ours: ours / accesses, opt: opt / accesses, nanos };
    });
}

/** How far ours is on the way from LRU to OPT; undefined where there is no way to go. */
function shareOf({ lru, ours, opt }) {
  return opt - lru < NO_WAY ? undefined : (ours - lru) / (opt - lru);
}

function print(name, results) {
  for (const result of results) {
    const share = shareOf(result);
    const cells = [
      name.padEnd(14),
      String(result.size).padStart(6),
      ...[result.lru, result.ours, result.opt].map((ratio) => ratio.toFixed(4).padStart(7)),
      (share === undefined ? '-' : `${(share * 100).toFixed(1)} %`).padStart(8),
      result.nanos.toFixed(0).padStart(6),
      result.ours < result.lru - MAX_LOSS ? '  under LRU' : '',
    ];
    console.log(cells.join(' ').trimEnd());
  }
}

function average(results) {
  const shares = results.map(shareOf).filter((share) => share !== undefined);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function main() {
  const missing = RECORDED.map(({ file }) => path.join(TRACES, file)).filter((file) => !fs.existsSync(file));
  if (missing.length > 0) {
    fail(`no ${missing.join(', ')}: set TIERCEL_TRACES to the folder that has the recorded traces`);
  }
  build();

  console.log('trace            size     LRU    ours     OPT    share  ns/op');
  const recorded = RECORDED.flatMap(({ name, file, sizes }) => {
    const results = simulate(sizes, unpack(path.join(TRACES, file)));
    print(name, results);
    return results;
  });
  const synthetic = execFileSync(PROGRAM, ['--names'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .flatMap((name) => {
      const results = simulate(['--synthetic', name, ...SYNTHETIC_SIZES]);
      print(name, results);
      return results;
    });

  const share = average(recorded);
  const worst = Math.min(...[...recorded, ...synthetic].map(({ lru, ours }) => ours - lru));
  const percent = (ratio) => `${(ratio * 100).toFixed(1)} %`;
  console.log(`\nof the way from LRU to OPT: ${percent(share)} on recorded traces (at least ${percent(MIN_SHARE)}),`);
  console.log(`${percent(average(synthetic))} on made-up ones; worst against LRU: ${(worst * 100).toFixed(2)} points`);
  if (share < MIN_SHARE || worst < -MAX_LOSS) {
    console.log('MISSED');
    process.exitCode = 1;
  }
}

main();
