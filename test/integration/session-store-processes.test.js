'use strict';
// One session, two processes.

const path = require('node:path');
const { Peer } = require('../helpers/peer');
const { RedisServer } = require('../helpers/redis-server');
const { closeStores, dataOf, openStore, sessionOf } = require('../helpers/session-stores');

const LIB = path.join(__dirname, '..', '..', 'lib', 'session');
let server;
let peer;
let store;

beforeAll(async () => {
  server = await RedisServer.start();
  peer = await Peer.start({ redis: server.url });
  await peer.run(({ cache }, lib) => {
    const { SessionStore } = process.mainModule.require(lib);
    globalThis.store = new SessionStore({ cache });
    globalThis.edit = async (id, change) => {
      const session = await globalThis.store.get(id);
      change(session);
      await globalThis.store.set(id, session);
    };
  }, LIB);
});
afterAll(async () => {
  expect(await peer.end()).toBe(0);
  await server.stop();
});
beforeEach(async () => {
  store = openStore({ redis: server.url });
  await store.set('a', sessionOf(60_000, { kept: 1, dropped: 1 }));
});
afterEach(closeStores);

test('both write: merged', async () => {
  const mine = await store.get('a');
  await peer.run(() => globalThis.edit('a', (session) => (session.theirs = 2)));
  mine.mine = 1;
  await store.set('a', mine);
  expect(await store.get('a')).toMatchObject({ kept: 1, dropped: 1, mine: 1, theirs: 2 });
  expect(await peer.run(() => globalThis.store.get('a'))).toMatchObject({ mine: 1, theirs: 2 });
});

test('one deletes a key, the other writes another', async () => {
  const mine = await store.get('a');
  await peer.run(() => globalThis.edit('a', (session) => delete session.dropped));
  mine.mine = 1;
  await store.set('a', mine);
  const data = dataOf(await store.get('a'));
  expect(data).toEqual({ kept: 1, mine: 1 });
});

test('a hundred writes of each at the same time', async () => {
  const theirs = peer.run(async () => {
    for (let i = 0; i < 100; i++) await globalThis.edit('a', (session) => (session[`theirs${i}`] = i));
  });
  for (let i = 0; i < 100; i++) {
    const session = await store.get('a');
    session[`mine${i}`] = i;
    await store.set('a', session);
  }
  await theirs;
  expect(Object.keys(await store.get('a')).length).toBe(203);
});

test.each([
  ['logout', () => globalThis.store.destroy('a')],
  [
    'a new login',
    () =>
      new Promise((resolve, reject) => {
        const req = { sessionID: 'a' };
        globalThis.store.generate = (request) => (request.sessionID = 'b');
        globalThis.store.regenerate(req, (error) => (error ? reject(error) : resolve(req.sessionID)));
      }),
  ],
])('%s there is final here', async (_, work) => {
  const mine = await store.get('a');
  await peer.run(work);
  mine.mine = 1;
  await store.touch('a', mine);
  await store.set('a', mine);
  await store.set('a', mine);
  expect(await store.get('a')).toBeNull();
});
