'use strict';
// ESLint over all JavaScript of the repository. Prettier has the layout; these rules are about mistakes.

const js = require('@eslint/js');
const globals = require('globals');

/**
 * Files in `from` must not require what is in one of `these` folders of lib.
 * @param {string} from
 * @param {string[]} these
 */
const layer = (from, these) => ({
  files: [`lib/${from}/**/*.js`],
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector: `CallExpression[callee.name='require'][arguments.0.value=/^(\\.\\.\\u002f)+(${these.join('|')})(\\u002f|$)/]`,
        message: `lib/${from} stands below these: ${these.join(', ')}`,
      },
    ],
  },
});

module.exports = [
  { ignores: ['build/', 'prebuilds/', 'coverage/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-implicit-globals': 'error',
      'no-promise-executor-return': 'off',
      'no-throw-literal': 'error',
      'no-unused-vars': ['error', { args: 'after-used', caughtErrors: 'none' }],
      'no-use-before-define': ['error', { functions: false, classes: true }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-promise-reject-errors': 'error',
      strict: ['error', 'global'],
    },
  },
  { files: ['**/*.mjs'], languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.node } },
  { files: ['test/**/*.js'], languageOptions: { globals: globals.jest } },
  // The layers of lib: each knows those below it, and no other.
  layer('util', ['options', 'keys', 'redis', 'store', 'cache', 'http', 'session', 'keyv']),
  layer('options', ['redis', 'store', 'cache', 'http', 'session', 'keyv']),
  layer('keys', ['redis', 'store', 'cache', 'http', 'session', 'keyv']),
  layer('redis', ['store', 'cache', 'http', 'session', 'keyv']),
  layer('store', ['cache', 'http', 'session', 'keyv']),
  layer('cache', ['http', 'session', 'keyv']),
  layer('http', ['session', 'keyv']),
  layer('session', ['http', 'keyv']),
  layer('keyv', ['http', 'session']),
  layer('http/rfc', ['storage', 'serve', 'record', 'flow', 'cache', 'redis', 'store', 'session', 'keyv']),
  // Scripts that a browser runs.
  {
    files: ['lib/browser/**/*.js', 'examples/**/public/**/*.js'],
    languageOptions: { globals: globals.browser },
  },
];
