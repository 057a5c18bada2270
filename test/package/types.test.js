'use strict';
// The packed types, as the compiler of a user reads them: the oldest TypeScript that is promised and the newest, with the
// module settings that are in use.
const fs = require('node:fs');
const path = require('node:path');
const { installPacked } = require('../helpers/packed');
const { Sandbox } = require('../helpers/sandbox');

const MODULES = path.join(__dirname, '..', '..', 'node_modules');
const CONSUMERS = path.join(__dirname, 'type-consumers');

const COMMONJS = { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true };
const NODE = { module: 'node16', moduleResolution: 'node16' };
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };

/** @type {Array<[compiler: string, settings: string, options: object, file: string]>} */
const CASES = [
  ['typescript-5.4', 'CommonJS with node10', COMMONJS, 'app.ts'],
  ['typescript-5.4', 'CommonJS with node16', NODE, 'app.ts'],
  ['typescript-5.4', 'ES modules with node16', NODE, 'app.mts'],
  ['typescript-5.4', 'a bundler', BUNDLER, 'app.ts'],
  // It has no node10 any more.
  ['typescript', 'CommonJS with node16', NODE, 'app.ts'],
  ['typescript', 'ES modules with node16', NODE, 'app.mts'],
  ['typescript', 'a bundler', BUNDLER, 'app.ts'],
];

let sandbox;

beforeAll(() => {
  sandbox = new Sandbox('types');
  installPacked(sandbox);
  for (const name of ['cache-manager', 'cacheable', 'keyv']) link(name, name);
  fs.mkdirSync(sandbox.file('node_modules/@types'));
  for (const name of fs.readdirSync(CONSUMERS)) fs.copyFileSync(path.join(CONSUMERS, name), sandbox.file(name));
  fs.copyFileSync(path.join(CONSUMERS, 'app.ts'), sandbox.file('app.mts'));
}, 120_000);

afterAll(() => sandbox?.remove());

/** Gives the application a package of ours, under a name. */
function link(name, as) {
  const place = sandbox.file(`node_modules/${as}`);
  fs.rmSync(place, { force: true });
  fs.symlinkSync(path.join(MODULES, name), place);
}

/** What the compiler says of a file; '' when it has nothing to say. */
function compile(compiler, file, settings) {
  // Today's types of Node are not for TypeScript 5.4.
  link(compiler === 'typescript-5.4' ? 'node-types-20' : '@types/node', '@types/node');
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    ...{ target: 'es2022', lib: ['es2022', 'esnext.disposable'], types: ['node'] },
    ...settings,
  };
  sandbox.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }));
  try {
    return sandbox.node([path.join(MODULES, compiler, 'bin', 'tsc'), '-p', 'tsconfig.json', '--pretty', 'false']);
  } catch (error) {
    return String(error.stdout) || String(error);
  }
}

test('the compilers are TypeScript 5.4 and a newer one', () => {
  const version = (name) => require(path.join(MODULES, name, 'package.json')).version;
  expect(version('typescript-5.4')).toMatch(/^5\.4\./);
  expect(Number(version('typescript').split('.')[0])).toBeGreaterThan(5);
});

test('what exports names, typesVersions names for node10', () => {
  const { exports, typesVersions } = JSON.parse(
    fs.readFileSync(sandbox.file('node_modules/tiercel/package.json'), 'utf8'),
  );
  const entries = Object.keys(exports).filter((name) => name !== '.' && name !== './package.json');
  expect(Object.keys(typesVersions['*']).sort()).toEqual(entries.map((name) => name.slice(2)).sort());
});

test.each(['typescript-5.4', 'typescript'])('%s: in ES modules createKeyv() is a store of Keyv users', (compiler) => {
  // Their own declarations are not what is looked at.
  expect(compile(compiler, 'keyv-users.mts', { ...NODE, skipLibCheck: true })).toBe('');
});

test.each(CASES)('%s compiles an application: %s', (compiler, _settings, options, file) => {
  expect(compile(compiler, file, options)).toBe('');
});
