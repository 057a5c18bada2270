'use strict';
// Stores for tests that shall hold for each kind of them: describe.each(STORES)('%s', (_, open) => … const store = open(server)).

const { randomBytes } = require('node:crypto');
const { createCache } = require('../../lib');
const { SessionStore } = require('../../lib/session');
const { ownNamespace } = require('./memory-cache');

const KEY = randomBytes(32);
let opened = [];

/** @param {object} options of SessionStore */
function openStore(options) {
  const store = new SessionStore(options);
  opened.push(store);
  return store;
}

/** @param {object} options of createCache */
function openCache(options) {
  const cache = createCache({ namespace: ownNamespace(), ...options });
  opened.push(cache);
  return cache;
}

/** Closes what was opened; for afterEach. */
async function closeStores() {
  const all = opened;
  opened = [];
  for (const one of all.reverse()) await one.close();
}

const serializer = {
  stringify: async (session) => Buffer.from(JSON.stringify(session)).toString('base64'),
  parse: async (text) => JSON.parse(Buffer.from(text, 'base64').toString()),
};

/** Each with a function of the server and more options. */
const STORES = [
  ['Redis', (server, options) => openStore({ redis: server.url, ...options })],
  ['the Redis of a cache', (server, options) => openStore({ cache: openCache({ redis: server.url }), ...options })],
  ['memory', (_server, options) => openStore({ cache: openCache({ redis: false }), ...options })],
  ['a serializer', (server, options) => openStore({ redis: server.url, serializer, ...options })],
  ['Redis and memory', (server, options) => openStore({ redis: server.url, memory: true, ...options })],
  ['encryption', (server, options) => openStore({ redis: server.url, keys: [KEY], ...options })],
  ['hashed ids', (server, options) => openStore({ redis: server.url, keys: [KEY], hashIds: true, ...options })],
];

/** A session whose cookie lives so long, as express-session would have it. @param {number | null} maxAge ms */
function sessionOf(maxAge, data = {}) {
  const expires = maxAge === null ? null : new Date(Date.now() + maxAge).toISOString();
  return { cookie: { originalMaxAge: maxAge, expires, httpOnly: true, path: '/' }, ...data };
}

/** All but the cookie. */
const dataOf = (session) => Object.fromEntries(Object.entries(session).filter(([key]) => key !== 'cookie'));

module.exports = { STORES, dataOf, openStore, openCache, closeStores, sessionOf, KEY };
