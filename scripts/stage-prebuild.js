'use strict';
// npm run stage: copies the built addon, stripped, to prebuilds/, from where `npm pack` takes it.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { BUILT, ROOT, modifiedAt, prebuildPath } = require('./lib/prebuild');

function strip(file) {
  const options = process.platform === 'darwin' ? ['-x'] : ['--strip-all'];
  try {
    execFileSync('strip', [...options, file], { stdio: 'pipe' });
  } catch (error) {
    console.error(`stage: not stripped: ${error.message}`);
  }
}

function main() {
  const target = prebuildPath();
  const built = modifiedAt(BUILT);
  if (built === undefined) {
    console.error(`stage: ${path.relative(ROOT, BUILT)} is missing. Run: npm run build`);
    process.exitCode = 1;
    return;
  }
  if ((modifiedAt(target) ?? 0) >= built) return;

  fs.mkdirSync(path.dirname(target), { recursive: true });
  // Never written in place: a process that has the old file mapped would crash.
  const draft = `${target}.${process.pid}`;
  fs.copyFileSync(BUILT, draft);
  strip(draft);
  fs.renameSync(draft, target);
  console.error(`stage: ${path.relative(ROOT, target)}, ${Math.round(fs.statSync(target).size / 1024)} KB`);
}

main();
