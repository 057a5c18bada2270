'use strict';
// Encrypted sessions and hashed ids: what Redis holds, and what becomes of it when it was changed.

const { randomBytes } = require('node:crypto');
const { createRedis } = require('../../lib');
const { SessionStore } = require('../../lib/session');
const { RedisServer } = require('../helpers/redis-server');
const { closeStores, openStore, sessionOf } = require('../helpers/session-stores');

let server;
let redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});
beforeEach(() => redis.flushdb());
afterEach(closeStores);

const KEY = randomBytes(32);
const open = (options) => {
  const store = openStore({ redis: server.url, keys: [KEY], ...options });
  const errors = [];
  store.on('error', (error) => errors.push(error.code));
  return { store, errors };
};

test('nothing of the session can be read in Redis; with hashed ids, not the id either', async () => {
  const { store } = open({ hashIds: true });
  await store.set('the-id', sessionOf(60_000, { secret: 'the secret' }));
  const [key] = await redis.keys('*');
  expect(key).toMatch(/^session:[\w-]{43}$/);
  const bytes = await redis.buffers.get(key);
  expect(bytes.includes('secret')).toBe(false);
  expect(bytes.includes('the-id')).toBe(false);
  expect(bytes.includes('cookie')).toBe(false);
  expect((await store.get('the-id')).secret).toBe('the secret');
});

test('hashed ids without encryption', async () => {
  const store = openStore({ redis: server.url, hashIds: true });
  await store.set('the-id', sessionOf(60_000, { n: 1 }));
  expect(await redis.keys('*')).toEqual([expect.stringMatching(/^session:[\w-]{43}$/)]);
  expect((await store.get('the-id')).n).toBe(1);
  await store.destroy('the-id');
  expect(await redis.dbsize()).toBe(0);
});

test.each([0, 1, 2])('keys are rotated: the old ones still open, the newest seals (form %i of a key)', async (form) => {
  const forms = (key) => [key, key.toString('hex'), key.toString('base64')][form];
  const next = randomBytes(32);
  await open().store.set('a', sessionOf(60_000, { n: 1 }));
  const both = open({ keys: [forms(next), forms(KEY)] });
  const loaded = await both.store.get('a');
  expect(loaded.n).toBe(1);
  loaded.n = 2;
  await both.store.set('a', loaded);
  const only = open({ keys: [forms(next)] });
  expect((await only.store.get('a')).n).toBe(2);
  expect(both.errors).toEqual([]);
});

test('with another key there is no such session, and an event; the session can be made anew', async () => {
  await open().store.set('a', sessionOf(60_000, { n: 1 }));
  const { store, errors } = open({ keys: [randomBytes(32)] });
  expect(await store.get('a')).toBeNull();
  expect(await store.all()).toEqual([]);
  expect(errors).toEqual(['SESSION_UNREADABLE', 'SESSION_UNREADABLE']);
  await store.set('a', sessionOf(60_000, { n: 2 }));
  expect((await store.get('a')).n).toBe(2);
});

test('every byte that is changed is noticed, and every end that is cut off', async () => {
  const { store, errors } = open();
  await store.set('a', sessionOf(60_000, { n: 1 }));
  const bytes = await redis.buffers.get('session:a');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] ^= 1;
    await redis.set('session:a', changed);
    expect(await store.get('a')).toBeNull();
  }
  for (let length = 0; length < bytes.length; length += 7) {
    await redis.set('session:a', bytes.subarray(0, length));
    expect(await store.get('a')).toBeNull();
  }
  expect(errors.length).toBeGreaterThan(bytes.length);
  await redis.set('session:a', bytes);
  expect((await store.get('a')).n).toBe(1);
});

test("another user's bytes under one's own id are no session", async () => {
  const { store, errors } = open();
  await store.set('victim', sessionOf(60_000, { user: 'victim' }));
  await store.set('thief', sessionOf(60_000, { user: 'thief' }));
  const victim = await redis.buffers.get('session:victim');
  const thief = await redis.buffers.get('session:thief');
  await redis.set('session:thief', victim);
  expect(await store.get('thief')).toBeNull();
  // The head of one, the rest of the other.
  for (const cut of [4, 20, 52, 126]) {
    await redis.set('session:thief', Buffer.concat([thief.subarray(0, cut), victim.subarray(cut)]));
    expect((await store.get('thief'))?.user).not.toBe('victim');
  }
  expect(errors.length).toBeGreaterThan(3);
});

test('what is not encrypted is no session', async () => {
  const { store, errors } = open();
  await redis.set('session:a', JSON.stringify(sessionOf(60_000, { admin: true })));
  expect(await store.get('a')).toBeNull();
  expect(errors).toEqual(['SESSION_UNREADABLE']);
});

test.each([
  ['none', [], /^keys: expected an array of keys, the newest first/],
  ['no array', 'k', /^keys: expected an array/],
  ['too short', [Buffer.alloc(16)], /^keys\[0\]: expected 32 bytes: .*, got 16 bytes$/],
  ['a password', [KEY, 'correct horse'], /^keys\[1\]: expected 32 bytes: .*, got another string$/],
])('keys that are none (%s) are refused without being shown', (_, keys, message) => {
  expect(() => new SessionStore({ redis: server.url, keys })).toThrow(message);
});
