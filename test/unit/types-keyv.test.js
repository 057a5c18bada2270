'use strict';
// types/keyv.d.mts says again what keyv.d.ts says of createKeyv(), since its Keyv is another; the rest it takes from there.
const fs = require('node:fs');
const path = require('node:path');

const TYPES = path.join(__dirname, '../../types');
const CREATE_KEYV = /\/\*\*(?:(?!\*\/)[^])*\*\/\nexport function createKeyv\(.*\): Keyv;\n/g;
const read = (name) => fs.readFileSync(path.join(TYPES, name), 'utf8');

test('both declaration files say the same of createKeyv()', () => {
  const [commonjs, ...others] = read('keyv.d.ts').match(CREATE_KEYV);
  expect(others).toEqual([]);
  expect(read('keyv.d.mts').match(CREATE_KEYV)).toEqual([commonjs]);
});

test('the one for ES modules says nothing else by itself', () => {
  const rest = read('keyv.d.mts').replace(CREATE_KEYV, '');
  const statements = rest.split('\n').filter((line) => /^(import|export|declare)\b/.test(line));
  expect(statements).toEqual([
    "import type { Keyv } from 'keyv';",
    "import type { CreateKeyvOptions } from './keyv.js';",
    "export * from './keyv.js';",
  ]);
});
