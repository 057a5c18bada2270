'use strict';
// The package as a user gets it: packed, installed into an empty project without scripts, used from CommonJS, ES
// modules and TypeScript, on a machine without a compiler.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { platformName } = require('../../scripts/lib/prebuild');
const { installPacked } = require('../helpers/packed');
const { Sandbox } = require('../helpers/sandbox');

const ROOT = path.join(__dirname, '..', '..');
const CONSUMERS = path.join(__dirname, 'consumers');
const TYPES = path.join(ROOT, 'node_modules', '@types');
const OUTPUT = 'the loader true undefined\n';
const MAX_BYTES = 8 * 1024 * 1024;

let sandbox;
let tarball;
let manifest;

beforeAll(() => {
  sandbox = new Sandbox('pack');
  tarball = installPacked(sandbox);
  manifest = JSON.parse(fs.readFileSync(sandbox.file('node_modules/tiercel/package.json'), 'utf8'));
  for (const name of fs.readdirSync(CONSUMERS)) fs.copyFileSync(path.join(CONSUMERS, name), sandbox.file(name));
}, 120_000);

afterAll(() => sandbox?.remove());

describe('the tarball', () => {
  test('holds the binary of this platform, the library and its types', () => {
    const files = tarball.files.map((file) => file.path);
    expect(files).toEqual(
      expect.arrayContaining([
        `prebuilds/${platformName()}.node`,
        'lib/index.js',
        'types/index.d.ts',
        'CMakeLists.txt',
        'package.json',
      ]),
    );
  });

  test('holds nothing of the workshop', () => {
    const strangers = tarball.files.filter((file) =>
      /^(build|test|bench|scripts|node_modules|\.ci|\.cache)\//.test(file.path),
    );
    expect(strangers).toEqual([]);
  });

  test('is small', () => {
    expect(tarball.size).toBeLessThan(MAX_BYTES);
    expect(tarball.unpackedSize).toBeLessThan(MAX_BYTES);
  });

  test('brings no dependency and no install script', () => {
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    expect(Object.keys(manifest.optionalDependencies ?? {})).toEqual([]);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
    expect(fs.existsSync(sandbox.file('node_modules/tiercel/binding.gyp'))).toBe(false);
    expect(fs.readdirSync(sandbox.file('node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['tiercel']);
  });

  test('has a binary that shows two symbols', () => {
    const binary = sandbox.file(`node_modules/tiercel/prebuilds/${platformName()}.node`);
    const lines = execFileSync('nm', ['-D', '--defined-only', binary], { encoding: 'utf8' }).trim().split('\n');
    const symbols = lines.map((line) => line.split(' ').pop());
    expect(symbols.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });

  test('lacks nothing of its own', () => {
    // A module may be linked with symbols missing, since Node's come at load time; ours would never come.
    const binary = sandbox.file(`node_modules/tiercel/prebuilds/${platformName()}.node`);
    const missing = execFileSync('nm', ['-D', '--undefined-only', binary], { encoding: 'utf8' });
    expect(missing).toContain('napi_create_function');
    expect(missing).not.toMatch(/tiercel|redisReader|sds/);
  });
});

describe('an installed copy, without a compiler', () => {
  test('the PATH of the sandbox has no compiler', () => {
    expect(fs.readdirSync(sandbox.bin)).toEqual(['node']);
  });

  test.each(['app.cjs', 'app.mjs'])('%s runs', (script) => {
    expect(sandbox.node([script])).toBe(OUTPUT);
  });

  test('app.mts compiles in strict mode, and runs', () => {
    const compilerOptions = {
      ...{ strict: true, target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: false },
      ...{ typeRoots: [TYPES], types: ['node'], outDir: 'out', rootDir: '.' },
    };
    sandbox.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['app.mts'] }));
    sandbox.node([path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
    expect(sandbox.node(['out/app.mjs'])).toBe(OUTPUT);
  });

  test.each([
    ['express', 'cacheResponse'],
    ['session', 'createSessions'],
    ['session', 'authMiddleware'],
    ['keyv', 'createKeyv'],
  ])('the sub-path tiercel/%s has %s', (path, name) => {
    expect(sandbox.node(['-p', `typeof require("tiercel/${path}").${name}`])).toBe('function\n');
  });

  test('tiercel/keyv has the same named exports in CommonJS and in ES modules', () => {
    const script =
      'import { createRequire } from "node:module"; import * as esm from "tiercel/keyv"; ' +
      'const cjs = createRequire(import.meta.url)("tiercel/keyv"); ' +
      'console.log(Object.keys(esm).join(), Object.keys(cjs).sort().join(), esm.KeyvTiercel === cjs.KeyvTiercel)';
    const names = 'KeyvTiercel,createKeyv';
    expect(sandbox.node(['--input-type=module', '-e', script])).toBe(`${names} ${names} true\n`);
  });

  test.each([
    ['CommonJS', 'commonjs', 'const { createSessions, SessionStore } = require("tiercel/session");'],
    ['ES modules', 'module', 'import { createSessions, SessionStore } from "tiercel/session";'],
  ])('without express-session, SessionStore says what is missing: %s', (_name, type, load) => {
    const script =
      `${load} console.log(typeof createSessions); ` +
      'try { new SessionStore() } catch (error) { console.log(error.name, error.code, error.message) }';
    expect(sandbox.node([`--input-type=${type}`, '-e', script])).toMatch(
      /^function\nCacheError MISSING_PACKAGE .*npm install express-session\n$/,
    );
  });

  test('the copy in use is the packed one', () => {
    const script =
      'require("tiercel"); console.log(Object.keys(require.cache).filter((f) => f.endsWith(".node")).join())';
    const loaded = sandbox.node(['-e', script]).trim();
    expect(loaded).toBe(fs.realpathSync(sandbox.file(`node_modules/tiercel/prebuilds/${platformName()}.node`)));
  });
});
