'use strict';
// ESLint over all JavaScript of the repository. Prettier has the layout; these rules are about mistakes.

const js = require('@eslint/js');
const globals = require('globals');

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
  // Scripts that a browser runs.
  {
    files: ['lib/browser/**/*.js', 'examples/**/public/**/*.js'],
    languageOptions: { globals: globals.browser },
  },
];
