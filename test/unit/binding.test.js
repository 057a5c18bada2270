'use strict';
// The loader of the native addon: what it says when there is nothing to load.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT } = require('../helpers/run-script');

describe('the loader', () => {
  let directory;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tiercel-binding-'));
    fs.cpSync(path.join(ROOT, 'lib'), path.join(directory, 'lib'), { recursive: true });
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  function load({ env = {}, before = '' } = {}) {
    const script = `${before}
      try {
        require('./lib');
        console.log(JSON.stringify({ loaded: true }));
      } catch (error) {
        const { name, code, message, cause } = error;
        console.log(JSON.stringify({ name, code, message, cause: cause && cause.message }));
      }`;
    const inherited = { ...process.env };
    delete inherited.TIERCEL_BINDING_PATH;
    const options = { cwd: directory, env: { ...inherited, ...env }, encoding: 'utf8' };
    return JSON.parse(execFileSync(process.execPath, ['-e', script], options));
  }

  test('says for what it looked, where, and what can be done', () => {
    const error = load();
    const [first, ...lines] = error.message.split('\n');
    expect(error).toMatchObject({ name: 'CacheError', code: 'BINDING_NOT_FOUND' });
    expect(first).toMatch(/^tiercel: cannot load the native addon for [a-z0-9]+-\w+ \(Node v\d+\.\d+\.\d+\):$/);
    expect(lines[0]).toContain("Cannot find module '../build/Release/tiercel.node'");
    expect(lines[1]).toMatch(/Cannot find module '\.\.\/prebuilds\/[a-z0-9-]+\.node'/);
    expect(lines[2]).toBe('There are binaries for: none');
    expect(lines.slice(3).join('\n')).toMatch(
      /^Possible solutions:\n {2}- if there are none, .* install .*\n {2}- with a bundler, .*\n {2}- build it, .*\n {4}npm install --no-save cmake-js node-addon-api && npx cmake-js compile -d node_modules\/tiercel$/,
    );
    expect(error.cause).toContain('Cannot find module');
  });

  test('shows why a binary that is there cannot be loaded', () => {
    fs.mkdirSync(path.join(directory, 'build', 'Release'), { recursive: true });
    fs.writeFileSync(path.join(directory, 'build', 'Release', 'tiercel.node'), 'not a library');
    const error = load();
    expect(error.code).toBe('BINDING_NOT_FOUND');
    expect(error.message).toMatch(/tiercel\.node: (file too short|invalid ELF header)/);
  });

  test('names a platform for which there is no binary, and those for which there is', () => {
    fs.mkdirSync(path.join(directory, 'prebuilds'));
    for (const name of ['linux-x64.node', 'darwin-arm64.node', 'README']) {
      fs.writeFileSync(path.join(directory, 'prebuilds', name), '');
    }
    const error = load({ before: "Object.defineProperty(process, 'platform', { value: 'sunos' });" });
    expect(error.message).toContain('cannot load the native addon for sunos-');
    expect(error.message).toContain('there is no prebuilt binary for sunos-');
    expect(error.message).toContain('There are binaries for: darwin-arm64, linux-x64\n');
  });

  test('takes what was built, or TIERCEL_BINDING_PATH', () => {
    const binary = path.join(ROOT, 'build', 'Release', 'tiercel.node');
    expect(load({ env: { TIERCEL_BINDING_PATH: binary } })).toEqual({ loaded: true });
    fs.mkdirSync(path.join(directory, 'build', 'Release'), { recursive: true });
    fs.copyFileSync(binary, path.join(directory, 'build', 'Release', 'tiercel.node'));
    expect(load()).toEqual({ loaded: true });
  });
});
