'use strict';
// The codes of errors that lib makes are those that the types name, and those in the table of docs/errors.md.
const fs = require('node:fs');
const path = require('node:path');
const { declarationFiles, parse, ts, walk } = require('../helpers/declarations');

const ROOT = path.join(__dirname, '../..');
const LIB = path.join(ROOT, 'lib');
const CODE = /^[A-Z]+(_[A-Z]+)*$/;
const CLASSES = ['CacheError', 'RedisError', 'SessionError'];

/** Words that are the server's, and examples only. */
const SERVER = ['WRONGTYPE', 'NOAUTH', 'LOADING', 'READONLY', 'BUSY', 'MASTERDOWN', 'OOM', 'NOSCRIPT'];

/** Where the code is no literal: an answer of the server, another error's, the native side's, or one of a table. */
const COMPUTED = {
  'errors.js': 1, // RedisError.fromReply
  'redis/client.js': 2, // an answer of the server; REFUSALS
  'redis/pipeline.js': 1, // of the error of EXEC
  'redis/reply-queue.js': 1, // src/redis/error.h
  'session/tokens/sessions.js': 1, // one of two, a variable
};

/** The texts of the literals in a node that have the form of a code. */
function codesIn(node) {
  const found = [];
  walk(node, (child) => {
    if (ts.isStringLiteral(child) && CODE.test(child.text)) found.push(child.text);
  });
  return found;
}

/** Codes in the errors that a file makes, and how many of these have a code that is no literal. */
function codesOfFile(file) {
  const source = parse(file, fs.readFileSync(file, 'utf8'));
  const codes = [];
  let computed = 0;
  walk(source, (node) => {
    if (ts.isVariableDeclaration(node) && ['REFUSALS', 'code'].includes(node.name.getText())) {
      codes.push(...codesIn(node));
    }
    if (!ts.isNewExpression(node) || !CLASSES.includes(node.expression.getText())) return;
    const found = codesIn(node.arguments[0]);
    if (found.length === 0) computed++;
    codes.push(...found);
  });
  return { codes, computed };
}

const files = fs.readdirSync(LIB, { recursive: true }).filter((name) => String(name).endsWith('.js'));
const made = files.map((name) => ({ name: String(name), ...codesOfFile(path.join(LIB, String(name))) }));

function usedCodes() {
  const native = fs.readFileSync(path.join(ROOT, 'src/redis/error.h'), 'utf8');
  const names = [...native.matchAll(/return "([A-Z_]+)";/g)].map(([, name]) => name);
  // The server's word stands in its place; and what no code has.
  const ofNative = names.filter((name) => !['SERVER_ERROR', 'ERROR'].includes(name));
  return new Set([...made.flatMap(({ codes }) => codes), ...ofNative, 'CACHE_UNAVAILABLE']);
}

/** The codes in the declarations of the error classes, in literal types and between backticks: each with its class. */
function documentedCodes() {
  const found = new Map();
  for (const { source } of declarationFiles()) {
    walk(source, (node) => {
      if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return;
      if (![...CLASSES, 'CacheUnavailableError'].includes(node.name.text)) return;
      const name = node.name.text;
      for (const [, code] of node.getFullText().matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)) found.set(code, name);
      for (const code of codesIn(node)) found.set(code, name);
    });
  }
  return found;
}

test('every code that is used is named in the types, and every one that is named is used', () => {
  const documented = [...documentedCodes().keys()].filter((code) => !SERVER.includes(code));
  expect(documented.sort()).toEqual([...usedCodes()].sort());
});

test('codes that are no literals come from the places that are known', () => {
  const computed = made.filter((file) => file.computed > 0).map((file) => [file.name, file.computed]);
  expect(Object.fromEntries(computed)).toEqual(COMPUTED);
});

describe('docs/errors.md', () => {
  const text = fs.readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8');
  /** The cells of the rows under a heading. */
  const rowsOf = (heading) => {
    const [, section] = text.match(new RegExp(`^## ${heading}\n(.*?)(?=^## |$(?![^]))`, 'ms'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    return rows.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  };

  test('has every code with the class that the types name, and says when and what to do', () => {
    const rows = rowsOf('Codes');
    const named = [...documentedCodes()].filter(([code]) => !SERVER.includes(code));
    expect(rows.map(([code, name]) => `${code} ${name}`).sort()).toEqual(named.map((pair) => pair.join(' ')).sort());
    for (const row of rows) expect(row.filter((cell) => cell !== '')).toHaveLength(4);
  });

  test('has every warning', () => {
    const used = files.flatMap((name) => {
      const found = fs.readFileSync(path.join(LIB, String(name)), 'utf8').matchAll(/code: '(TIERCEL_[A-Z_]+)'/g);
      return [...found].map(([, code]) => code);
    });
    expect(rowsOf('Warnings').map(([code]) => code)).toEqual([...new Set(used)].sort());
  });

  test('names the words of the server that the types name', () => {
    for (const word of SERVER) expect(text).toContain(`\`${word}\``);
  });
});
