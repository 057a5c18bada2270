'use strict';
// The package as npm packs it.
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { npmProgram } = require('./sandbox');

const ROOT = path.join(__dirname, '..', '..');

/**
 * Packs the package into a directory.
 * @param {string} directory
 * @returns what npm reports: filename, files, size
 */
function pack(directory) {
  const args = [npmProgram(), 'pack', '--json', '--pack-destination', directory];
  const report = execFileSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parsed = JSON.parse(report);
  // An array up to npm 11, an object by package name since.
  return Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
}

/**
 * Packs the package and installs it into a sandbox, without scripts.
 * @param {import('./sandbox').Sandbox} sandbox
 */
function installPacked(sandbox) {
  const tarball = pack(sandbox.directory);
  sandbox.npm(['install', '--ignore-scripts', '--offline', path.join(sandbox.directory, tarball.filename)]);
  return tarball;
}

module.exports = { installPacked };
