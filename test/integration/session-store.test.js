'use strict';
// SessionStore, call by call, on every kind of storage.

const { RedisServer } = require('../helpers/redis-server');
const { closeStores, dataOf, openStore, sessionOf, STORES } = require('../helpers/session-stores');
const { timed } = require('../helpers/timed');
const { delay, rejection } = require('../helpers/until');

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());
afterEach(closeStores);

describe.each(STORES)('on %s', (kind, open) => {
  let store;
  beforeEach(async () => {
    store = open(server);
    await store.clear();
  });

  test('keeps what JSON keeps, and hands out objects that nobody shares', async () => {
    const data = sessionOf(60_000, { text: 'ünï\u2028\0"\\', big: 'x'.repeat(1_000_000), list: [1, [2]], no: null });
    await store.set('a', data);
    data.list.push(3);
    const first = await store.get('a');
    expect(first).toEqual({ ...data, list: [1, [2]] });
    first.list.push(4);
    expect((await store.get('a')).list).toEqual([1, [2]]);
    expect(JSON.stringify(await store.get('a'))).toBe(JSON.stringify({ ...data, list: [1, [2]] }));
    expect(Reflect.ownKeys(first)).toEqual(Object.keys(first));
  });

  test('sessions of any other form come back as they were', async () => {
    for (const session of [{ foo: 'bar' }, { cookie: { maxAge: 2000 } }, { a: 1, cookie: { path: '/x' }, b: [] }]) {
      await store.set('a', session);
      expect(await store.get('a')).toEqual(session);
      await store.touch('a', session);
      expect(await store.get('a')).toEqual(session);
    }
    const own = JSON.parse('{"cookie":{"originalMaxAge":null,"expires":null},"__proto__":{"x":1},"constructor":2}');
    await store.set('a', own);
    const found = await store.get('a');
    expect(Object.keys(found)).toEqual(['cookie', '__proto__', 'constructor']);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(found.x).toBeUndefined();
  });

  test('there is none: null', async () => {
    expect(await store.get('nobody')).toBeNull();
    await store.touch('nobody', sessionOf(1000));
    await store.destroy('nobody');
    expect(await store.length()).toBe(0);
  });

  test.each([
    ['glob characters', 'a*?[b]{c}\\^'],
    ['line ends and NUL', 'a\r\n\0b'],
    ['10 KB', 'x'.repeat(10_240)],
    ['emoji', '🍪'.repeat(10)],
  ])('ids of %s', async (_, id) => {
    await store.set(id, sessionOf(60_000, { n: 1 }));
    await store.set(`${id}2`, sessionOf(60_000, { n: 2 }));
    await store.touch(id, sessionOf(90_000));
    expect((await store.get(id)).n).toBe(1);
    expect((await store.all()).map(({ n }) => n).sort()).toEqual([1, 2]);
    await store.destroy(id);
    expect(await store.get(id)).toBeNull();
    expect((await store.get(`${id}2`)).n).toBe(2);
  });

  test.each([['', undefined], [undefined], [7], ['\ud800']])('an id that is none: %p', async (id) => {
    for (const call of [() => store.get(id), () => store.set(id, sessionOf(1000)), () => store.destroy(id)]) {
      expect((await rejection(call())).message).toMatch(/^session id: expected/);
    }
    expect((await new Promise((resolve) => store.touch(id, sessionOf(1), resolve))).message).toMatch(/^session id/);
  });

  timed('lives as long as its cookie, to the millisecond', async () => {
    await store.set('a', sessionOf(250));
    await store.set('b', sessionOf(10_000));
    await delay(200);
    expect(await store.get('a')).not.toBeNull();
    await delay(60);
    expect(await store.get('a')).toBeNull();
    expect(await store.get('b')).not.toBeNull();
  });

  timed('touch: the next get shows the new end and the new maxAge, and nothing else', async () => {
    await store.set('a', sessionOf(200, { n: 1 }));
    const before = await store.get('a');
    const touched = sessionOf(30_000, { n: 2, never: 'stored' });
    await store.touch('a', touched);
    const after = await store.get('a');
    expect(after).toEqual({ ...before, cookie: touched.cookie });
    await delay(220);
    expect(await store.get('a')).toEqual(after);
    await store.touch('a', sessionOf(100));
    await delay(120);
    expect(await store.get('a')).toBeNull();
    await store.touch('a', sessionOf(30_000));
    expect(await store.get('a')).toBeNull();
  });

  test('an end that was set on purpose, and lies in the past, destroys', async () => {
    await store.set('a', sessionOf(10_000));
    await store.set('a', sessionOf(-1));
    expect(await store.get('a')).toBeNull();
    await store.set('b', sessionOf(10_000));
    const loaded = await store.get('b');
    loaded.cookie.expires = new Date(0);
    await store.set('b', loaded);
    expect(await store.get('b')).toBeNull();
  });

  timed('an end that has become old since it was loaded does not', async () => {
    await store.set('a', sessionOf(100, { n: 1 }));
    const slow = await store.get('a');
    const touched = sessionOf(60_000);
    await store.touch('a', touched);
    await delay(120);
    slow.n = 2;
    await store.touch('a', slow);
    await store.set('a', slow);
    const found = await store.get('a');
    expect(found).toMatchObject({ n: 2, cookie: { expires: touched.cookie.expires } });
  });

  test('the changes of two are merged, deletions included, values whole', async () => {
    await store.set('a', sessionOf(60_000, { kept: { x: [1] }, list: [1, 2], old: 1, both: 0 }));
    const [one, two] = [await store.get('a'), await store.get('a')];
    Object.assign(one, { mine: 1, list: [1, 2, 3], both: 'one' });
    delete one.old;
    Object.assign(two, { yours: 2, both: 'two' });
    await store.set('a', one);
    await store.set('a', two);
    const data = dataOf(await store.get('a'));
    expect(data).toEqual({ kept: { x: [1] }, list: [1, 2, 3], mine: 1, yours: 2, both: 'two' });
    // What was merged in is not in the object of the second; saving that again must not take it out.
    two.more = 1;
    delete two.yours;
    await store.set('a', two);
    const later = dataOf(await store.get('a'));
    expect(later).toEqual({ kept: { x: [1] }, list: [1, 2, 3], mine: 1, both: 'two', more: 1 });
  });

  test('twenty at once: nothing is lost', async () => {
    await store.set('a', sessionOf(60_000));
    const all = await Promise.all(Array.from({ length: 20 }, () => store.get('a')));
    all.forEach((session, i) => (session[`k${i}`] = i));
    await Promise.all(all.map((session) => store.set('a', session)));
    const data = dataOf(await store.get('a'));
    expect(data).toEqual(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])));
  });

  test('two saves of one object, the second while the first is under way: the second is what stays', async () => {
    await store.set('a', sessionOf(60_000));
    const session = await store.get('a');
    session.draft = 1;
    const first = store.set('a', session);
    delete session.draft;
    session.done = 1;
    await Promise.all([first, store.set('a', session)]);
    const data = dataOf(await store.get('a'));
    expect(data).toEqual({ done: 1 });
  });

  test('what was destroyed is not written back by who had loaded it, but may be created', async () => {
    await store.set('a', sessionOf(60_000, { n: 1 }));
    const loaded = await store.get('a');
    const seen = [];
    store.on('conflict', (conflict) => seen.push(conflict));
    await store.destroy('a');
    loaded.n = 2;
    await store.set('a', loaded);
    await store.touch('a', loaded);
    expect(await store.get('a')).toBeNull();
    expect(seen).toEqual([{ id: 'a', outcome: 'gone' }]);
    const plain = sessionOf(60_000, { n: 3 });
    await store.set('a', plain);
    await store.destroy('a');
    await store.set('a', plain);
    expect((await store.get('a')).n).toBe(3);
    // Under another id it is a new session.
    await store.set('b', loaded);
    expect((await store.get('b')).n).toBe(2);
  });

  test('the cookie is taken whole: a changed maxAge survives somebody who only moved the end', async () => {
    await store.set('a', sessionOf(60_000));
    const [remember, other, third] = [await store.get('a'), await store.get('a'), await store.get('a')];
    Object.assign(remember.cookie, sessionOf(9_000_000).cookie);
    Object.assign(other.cookie, sessionOf(60_001).cookie, { originalMaxAge: 60_000 });
    other.x = 1;
    await store.set('a', remember);
    await store.set('a', other);
    expect(await store.get('a')).toMatchObject({ x: 1, cookie: remember.cookie });
    if (kind === 'encryption' || kind === 'hashed ids') return; // there, the script cannot see maxAge
    await store.touch('a', third);
    expect((await store.get('a')).cookie).toEqual(remember.cookie);
  });

  test('all, ids, length, clear', async () => {
    for (let i = 0; i < 120; i++) await store.set(`id${i}`, sessionOf(60_000, { i }));
    const all = await store.all();
    expect(all.map(({ i }) => i).sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i));
    if (kind !== 'hashed ids') expect(all.find(({ i }) => i === 7).id).toBe('id7');
    expect(new Set(await store.ids()).size).toBe(120);
    expect(await store.length()).toBe(120);
    await store.clear();
    expect([await store.all(), await store.ids(), await store.length()]).toEqual([[], [], 0]);
  });
});

describe('onConflict', () => {
  const two = async (onConflict) => {
    const store = openStore({ redis: server.url, onConflict });
    await store.set('a', sessionOf(60_000, { n: 0 }));
    const [one, other] = [await store.get('a'), await store.get('a')];
    one.a = 1;
    other.b = 2;
    await store.set('a', one);
    return { store, other };
  };

  test('last-wins', async () => {
    const { store, other } = await two('last-wins');
    await store.set('a', other);
    expect(await store.get('a')).toEqual(other);
    await store.destroy('a');
    await store.set('a', other);
    expect(await store.get('a')).toBeNull();
  });

  test('reject', async () => {
    const { store, other } = await two('reject');
    const error = await rejection(store.set('a', other));
    expect(error).toMatchObject({ code: 'SESSION_CONFLICT', id: 'a', name: 'SessionError' });
    expect(await store.get('a')).toMatchObject({ n: 0, a: 1 });
    expect((await store.get('a')).b).toBeUndefined();
  });

  test('a function', async () => {
    const calls = [];
    const { store, other } = await two(async (base, mine, theirs) => {
      calls.push(base, mine, theirs);
      return { ...theirs, sum: mine.b + theirs.a };
    });
    await store.set('a', other);
    expect(calls.map(dataOf)).toEqual([{ n: 0 }, { n: 0, b: 2 }, { n: 0, a: 1 }]);
    expect(await store.get('a')).toMatchObject({ n: 0, a: 1, sum: 3 });
  });

  test('a function that throws, or gives no session, is an error', async () => {
    const failing = await two(() => {
      throw new Error('mine');
    });
    expect((await rejection(failing.store.set('a', failing.other))).message).toBe('mine');
    const silent = await two(() => undefined);
    expect((await rejection(silent.store.set('a', silent.other))).message).toMatch(/^onConflict: expected a session/);
  });
});
