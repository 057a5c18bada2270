'use strict';
// The examples of README.md and docs/ compile as TypeScript (strict, nodenext) against types/. What an example takes from
// the text around it (`cache`, `app`, `db` …) is declared in a preamble. Its own functions need no types.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../helpers/run-script');

const DOCS = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const DOCUMENTS = ['README.md', ...DOCS.map((name) => `docs/${name}`)];
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');

const PREAMBLE = `
import type { Express } from 'express';
import type { Cache, RedisClient } from 'tiercel';
import type { Sessions } from 'tiercel/session';

interface User {
  name: string;
}

declare global {
  namespace NodeJS {
    interface ProcessEnv {
      SESSION_SECRET: string;
      SECRET_NEW: string;
      SECRET_OLD: string;
    }
  }
  const app: Express;
  const cache: Cache;
  const cacheResponse: typeof import('tiercel').cacheResponse;
  const createCache: typeof import('tiercel').createCache;
  const db: {
    user(id: number, options: { signal: AbortSignal }): Promise<User>;
    users: { find(id: string | undefined): Promise<User | undefined> };
  };
  const redis: RedisClient;
  const sessions: Sessions;
}
`;

const OPTIONS = {
  ...{ strict: true, noImplicitAny: false, noEmit: true, skipLibCheck: true, esModuleInterop: true },
  ...{ module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'] },
  types: ['node'],
};

/** The same example as an ES module, on the same lines: a compiler takes what require() gives for `any`. */
function asModule(code) {
  const imports = code.replace(
    /^const (\w+|\{[^}]*\}) = require\(('[^']+')\);/gm,
    (_, names, name) => `import ${names.replace(/(\w+): (\w+)/g, '$1 as $2')} from ${name};`,
  );
  return /^(?:import|export) /m.test(imports) ? imports : `${imports}export {};\n`;
}

/** Blocks of JavaScript and TypeScript: text, and the line on which each begins. */
function examplesOf(document) {
  const text = fs.readFileSync(path.join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```(?:js|ts)\n(.*?)^```/gms)].map(({ 1: code, index }) => ({
    code,
    line: text.slice(0, index).split('\n').length + 1,
  }));
}

/** What the compiler says of examples: lines `place: error`, the place being that in the document. */
function mistakesIn(examples) {
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  // In the package, so that it finds itself by its name.
  const directory = fs.mkdtempSync(path.join(ROOT, '.cache/examples-'));
  try {
    const files = examples.map(({ code }, index) => {
      fs.writeFileSync(path.join(directory, `${index}.mts`), asModule(code));
      return `${index}.mts`;
    });
    fs.writeFileSync(path.join(directory, 'preamble.d.mts'), PREAMBLE);
    const config = { compilerOptions: OPTIONS, files: ['preamble.d.mts', ...files] };
    fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = spawnSync(process.execPath, [TSC, '-p', '.', '--pretty', 'false'], { cwd: directory });
    return String(stdout)
      .trim()
      .replace(/^(\d+)\.mts\((\d+),/gm, (_, index, line) => {
        const { document, line: first } = examples[index];
        return `${document}:${first + Number(line) - 1} (`;
      });
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

test('every example compiles', () => {
  const examples = DOCUMENTS.flatMap((document) => examplesOf(document).map((example) => ({ document, ...example })));
  expect(examples.length).toBeGreaterThan(15);
  expect(mistakesIn(examples)).toBe('');
});
