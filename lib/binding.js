'use strict';
// Finds the native addon: what was built here, else the binary that came with the package. Every path is a literal, so
// that bundlers see it.
const fs = require('node:fs');
const path = require('node:path');
const { CacheError } = require('./errors');

/** `linux-x64`, `linuxmusl-arm64`, `darwin-arm64` … */
function target() {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}`;
  const report = /** @type {any} */ (process.report);
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // a report resolves the names of open sockets otherwise, which is slow
  const musl = !report.getReport().header.glibcVersionRuntime;
  report.excludeNetwork = before;
  return `${musl ? 'linuxmusl' : 'linux'}-${process.arch}`;
}

/** @param {string} name */
function prebuilt(name) {
  switch (name) {
    case 'linux-x64':
      // @ts-ignore: not there before it was staged
      return require('../prebuilds/linux-x64.node');
    case 'linux-arm64':
      // @ts-ignore
      return require('../prebuilds/linux-arm64.node');
    case 'linuxmusl-x64':
      // @ts-ignore
      return require('../prebuilds/linuxmusl-x64.node');
    case 'linuxmusl-arm64':
      // @ts-ignore
      return require('../prebuilds/linuxmusl-arm64.node');
    case 'darwin-x64':
      // @ts-ignore
      return require('../prebuilds/darwin-x64.node');
    case 'darwin-arm64':
      // @ts-ignore
      return require('../prebuilds/darwin-arm64.node');
    default:
      throw new Error(`there is no prebuilt binary for ${name}`);
  }
}

/** What the package has binaries for. */
function available() {
  try {
    const names = fs.readdirSync(path.join(__dirname, '../prebuilds')).filter((name) => name.endsWith('.node'));
    return names.map((name) => name.slice(0, -'.node'.length)).join(', ') || 'none';
  } catch {
    return 'none';
  }
}

function load() {
  if (process.env.TIERCEL_BINDING_PATH) return require(process.env.TIERCEL_BINDING_PATH);
  const name = target();
  /** @type {Error[]} */
  const errors = [];
  for (const attempt of [
    // @ts-ignore: not there before it was built
    () => require('../build/Release/tiercel.node'),
    () => prebuilt(name),
  ]) {
    try {
      return attempt();
    } catch (error) {
      errors.push(/** @type {Error} */ (error));
    }
  }
  const details = errors.map((error) => `  - ${error.message.split('\n', 1)[0]}`).join('\n');
  throw new CacheError(
    'BINDING_NOT_FOUND',
    `tiercel: cannot load the native addon for ${name} (Node ${process.version}):\n${details}\n` +
      `There are binaries for: ${available()}\n` +
      'Possible solutions:\n' +
      '  - if there are none, the folder prebuilds was lost: install the package again\n' +
      '  - with a bundler, keep tiercel out of the bundle (external): it loads a file of its own folder\n' +
      '  - build it, in the folder of your app (needs git, CMake 3.19 and a C++20 compiler):\n' +
      '    npm install --no-save cmake-js node-addon-api && npx cmake-js compile -d node_modules/tiercel',
    { cause: errors[errors.length - 1] },
  );
}

module.exports = load();
