'use strict';
// prepack: refuses to pack without an up-to-date binary for this platform. Builds nothing, on purpose: what is
// published is what was tested.

const fs = require('node:fs');
const path = require('node:path');
const { BUILT, ROOT, modifiedAt, newestSource, prebuildPath } = require('./lib/prebuild');

/** Why the package must not be packed; undefined when it may. */
function fault() {
  const file = prebuildPath();
  const name = path.relative(ROOT, file);
  const time = modifiedAt(file);
  if (time === undefined) return `${name} is missing`;
  if (fs.statSync(file).size === 0) return `${name} is empty`;
  const source = newestSource();
  if (time < source.time) return `${name} is older than ${source.file}`;
  if (time < (modifiedAt(BUILT) ?? 0)) return `${name} is older than ${path.relative(ROOT, BUILT)}`;
  return undefined;
}

const message = fault();
if (message !== undefined) {
  console.error(`prepack: ${message}.\nRun: npm run build && npm run stage`);
  process.exitCode = 1;
}
