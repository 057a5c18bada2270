'use strict';
// The modules of lib require each other without a circle: what a file needs is complete when it is loaded. (ESLint keeps the
// layers, eslint.config.js.)
const fs = require('node:fs');
const path = require('node:path');

const LIB = path.join(__dirname, '../../lib');
const files = fs.readdirSync(LIB, { recursive: true }).filter((name) => String(name).endsWith('.js'));

const isFile = (name) => fs.existsSync(name) && fs.statSync(name).isFile();

/** The files of lib that one requires, by its text. */
function requiredBy(file) {
  const text = fs.readFileSync(file, 'utf8');
  const found = [...text.matchAll(/require\('(\.[^']*)'\)/g)].map(([, name]) => path.resolve(path.dirname(file), name));
  return found.map((name) => [name, `${name}.js`, path.join(name, 'index.js')].find(isFile)).filter(Boolean);
}

/** A circle that begins and ends at the file, or undefined. */
function circleOf(graph, start) {
  const seen = new Set();
  const visit = (file, way) => {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const circle = visit(next, [...way, next]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  return visit(start, [start]);
}

test('no file requires itself through others', () => {
  const graph = new Map(files.map((name) => [path.join(LIB, String(name)), requiredBy(path.join(LIB, String(name)))]));
  expect(graph.size).toBeGreaterThan(100);
  const circles = [...graph.keys()].map((file) => circleOf(graph, file)).filter((circle) => circle !== undefined);
  expect(circles.map((circle) => circle.map((file) => path.relative(LIB, file)))).toEqual([]);
});

test('a circle would be found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['a']],
  ]);
  expect(circleOf(graph, 'a')).toEqual(['a', 'b', 'd', 'a']);
  expect(circleOf(graph, 'c')).toBeUndefined();
});
