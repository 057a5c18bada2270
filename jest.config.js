'use strict';
// Jest: unit tests (no server), integration tests (a private Redis each) and tests of the packed package.
// One worker on purpose: the addon is shared by all test files of a worker anyway, and the timing tests want the core.

module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/{unit,integration,package}/**/*.test.js'],
  testTimeout: 30000,
  maxWorkers: 1,
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/prebuilds/'],
  watchPathIgnorePatterns: ['<rootDir>/build/'],
};
