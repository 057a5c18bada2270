'use strict';
// Sessions that are given a namespace of a cache are its own.

const { createCache } = require('../../lib');
const { SessionStore, createSessions } = require('../../lib/session');

const caches = [];
const open = () => {
  const cache = createCache({ redis: false, namespace: `prefix${caches.length}` });
  caches.push(cache);
  return cache;
};
afterAll(() => Promise.all(caches.map((cache) => cache.close())));

test.each([
  ['SessionStore', (options) => new SessionStore(options), 'session'],
  ['createSessions', createSessions, 'sessions'],
])('the default prefix of %s', (_name, make, name) => {
  const cache = open();
  const prefixOf = (options) => make(options).prefix;
  expect(prefixOf({ cache })).toBe(`${name}:`);
  expect(prefixOf({ cache: cache.namespace('admins') })).toBe(`${name}.admins:`);
  expect(prefixOf({ cache: cache.namespace('admins').namespace('eu') })).toBe(`${name}.admins.eu:`);
  expect(prefixOf({ cache: cache.namespace('admins'), prefix: 'mine:' })).toBe('mine:');
});
