'use strict';
// Finds the native addon: what was built here, else the binary that came with the package. Every path is a literal, so
// that bundlers see it.
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
      'Possible solutions:\n' +
      '  - install on the platform on which it will run, without copying node_modules from another one\n' +
      '  - build it: npm run build in the folder of the package (needs cmake and a C++20 compiler)',
    { cause: errors[errors.length - 1] },
  );
}

module.exports = load();
