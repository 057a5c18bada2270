'use strict';
// Jest: unit tests (no server), integration tests (a private Redis each) and tests of the packed package.
// In parallel workers. test/stress and test/conformance are run by `npm run test:stress`.

module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/{unit,integration,package}/**/*.test.js'],
  testTimeout: 120000,
  collectCoverageFrom: ['lib/**/*.js'],
  coverageProvider: 'v8',
  setupFiles: [require.resolve('./test/helpers/stalls.js')],
  maxWorkers: 2,
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/prebuilds/'],
  watchPathIgnorePatterns: ['<rootDir>/build/'],
};
