'use strict';
// The declaration files of the package, read with the compiler API. (TypeScript 7 has none that is stable.)
const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript-5.4');

const TYPES = path.join(__dirname, '../../types');

/** Every declaration file: path from types/, and its syntax tree. */
function declarationFiles() {
  const names = fs.readdirSync(TYPES).filter((name) => /\.d\.m?ts$/.test(name));
  return names.map((name) => {
    const text = fs.readFileSync(path.join(TYPES, name), 'utf8');
    return { name, source: parse(name, text) };
  });
}

/** The syntax tree of a text. */
function parse(name, text) {
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}

/** Calls a function with a node and with everything in it. */
function walk(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Where a node stands, and how it begins: `index.d.ts:12 name`. */
function placeOf(node) {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  const parent = node.parent?.name?.getText();
  const name = node.name?.getText() ?? node.getText().split('\n', 1)[0];
  return `${source.fileName}:${line + 1} ${parent === undefined ? '' : `${parent}.`}${name}`;
}

module.exports = { declarationFiles, parse, placeOf, ts, walk };
