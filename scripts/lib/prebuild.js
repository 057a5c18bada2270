'use strict';
// Where the addon is built, where its packed copy goes, and whether a copy is up to date.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const BUILT = path.join(ROOT, 'build', 'Release', 'tiercel.node');
// What the binary is made of.
const SOURCES = ['src', 'cmake', 'CMakeLists.txt', 'package.json'];

/** `linux-x64`, `linuxmusl-arm64`, `darwin-arm64` …: the names that lib/binding.js looks for. */
function platformName() {
  return `${isMusl() ? 'linuxmusl' : process.platform}-${process.arch}`;
}

function isMusl() {
  if (process.platform !== 'linux') return false;
  // Without it the report looks up the names of all open sockets.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

function prebuildPath() {
  return path.join(ROOT, 'prebuilds', `${platformName()}.node`);
}

function modifiedAt(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** The newest source file, as `{ file, time }`. */
function newestSource() {
  let newest = { file: '', time: 0 };
  const visit = (file) => {
    const stat = fs.statSync(file);
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(file)) visit(path.join(file, name));
    } else if (stat.mtimeMs > newest.time) {
      newest = { file: path.relative(ROOT, file), time: stat.mtimeMs };
    }
  };
  for (const source of SOURCES) visit(path.join(ROOT, source));
  return newest;
}

module.exports = { BUILT, ROOT, modifiedAt, newestSource, platformName, prebuildPath };
