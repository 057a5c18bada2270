'use strict';
// README.md, docs/ and the like: links lead somewhere, in the package too, and examples can be pasted.
const { Linter } = require('eslint');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../helpers/run-script');
const { devDependencies, engines, files, peerDependencies, scripts } = require('../../package.json');

const DOCS = fs.readdirSync(path.join(ROOT, 'docs')).map((name) => `docs/${name}`);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...DOCS.filter((name) => name.endsWith('.md'))];
// npm packs these whatever `files` says.
const PACKED = ['README.md', 'LICENSE', 'package.json', ...files.filter((name) => !name.startsWith('!'))];

const textOf = (document) => fs.readFileSync(path.join(ROOT, document), 'utf8');
const isPacked = (file) => PACKED.some((entry) => file === entry || file.startsWith(`${entry}/`));

/** The files that a document links to, from the root of the repository. */
function linksOf(document) {
  const prose = textOf(document).replace(/^```.*?^```/gms, '');
  const targets = [...prose.matchAll(/\]\(<?([^)\s>]+)/g), ...prose.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm)].map(
    (match) => match[1],
  );
  return targets
    .filter((target) => !/^(?:[a-z][a-z+.-]*:|#|\/\/)/i.test(target))
    .map((target) => path.posix.join(path.posix.dirname(document), target.replace(/[#?].*$/, '')));
}

/** Blocks of JavaScript, with the line on which each begins. */
function examplesOf(document) {
  const text = textOf(document);
  return [...text.matchAll(/^```js\n(.*?)^```/gms)].map((match) => ({
    code: match[1],
    line: text.slice(0, match.index).split('\n').length + 1,
  }));
}

/** Why it cannot be run as a file; undefined when it can. With require() it is CommonJS, else an ES module. */
function mistakeIn(code) {
  const sourceType = /\brequire\(/.test(code) ? 'commonjs' : 'module';
  const [message] = new Linter().verify(code, [{ languageOptions: { ecmaVersion: 2023, sourceType } }]);
  return message && `${sourceType}, line ${message.line}: ${message.message}`;
}

test.each(DOCUMENTS)('%s: its links lead to files that exist', (document) => {
  expect(linksOf(document).filter((target) => !fs.existsSync(path.join(ROOT, target)))).toEqual([]);
});

test.each(DOCUMENTS.filter(isPacked))('%s is packed, and so is what it links to', (document) => {
  expect(linksOf(document).filter((target) => !isPacked(target))).toEqual([]);
});

const examples = DOCUMENTS.flatMap((document) => examplesOf(document).map((example) => ({ document, ...example })));

test('links and examples are found', () => {
  expect(linksOf('README.md')).toContain('docs/cache.md');
  expect(linksOf('docs/cache.md')).toContain('types/index.d.ts');
  expect(examples.length).toBeGreaterThan(10);
});

test.each(examples)('$document:$line parses', ({ code }) => {
  expect(mistakeIn(code)).toBeUndefined();
});

test('the requirements in README.md are those of package.json', () => {
  const text = textOf('README.md').match(/^## Requirements\n(.*?)^## /ms)[1];
  const oldest = (range) => range.match(/\d+\.\d+/)[0];
  const named = Object.entries(peerDependencies).map(([name, range]) => `${name} ${oldest(range)}`);
  for (const requirement of [
    `| Node.js | ${oldest(engines.node)} or newer |`,
    `| TypeScript | ${oldest(devDependencies['typescript-5.4'])} or newer`,
    ...named,
  ]) {
    expect(text).toContain(requirement);
  }
});

test('docs/guarantees.md names tests that exist', () => {
  const tests = fs.readdirSync(path.join(ROOT, 'test'), { recursive: true }).map((name) => path.basename(String(name)));
  const cells = [...textOf('docs/guarantees.md').matchAll(/^\|.*\| ([^|]*) \|$/gm)].map(([, cell]) => cell);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.length).toBeGreaterThan(30);
  const isThere = (name) => tests.includes(name) || tests.includes(`${name}.test.js`);
  expect(named.filter((name) => !isThere(name))).toEqual([]);
});

// Links are checked above; these are names between backticks.
test.each(['CONTRIBUTING.md', ...DOCS.filter((name) => name.endsWith('.md'))])(
  '%s names files that exist',
  (document) => {
    const known = ['lib', 'src', 'test', 'scripts', 'bench', 'examples', 'docs', 'types'].flatMap((folder) =>
      fs.readdirSync(path.join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`),
    );
    const names = [...textOf(document).matchAll(/`([^`\s<>*]+\.(?:js|ts|cpp|h|sh|mjs))`/g)].map(([, name]) => name);
    expect(names.filter((name) => !known.some((file) => file === name || file.endsWith(`/${name}`)))).toEqual([]);
  },
);

test.each([...DOCUMENTS])('%s names scripts of package.json', (document) => {
  const names = [...textOf(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});
