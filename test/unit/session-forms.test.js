'use strict';
// The stored forms of a session: what is written, what is read, what a touch may replace.

const { randomBytes } = require('node:crypto');
const { Cookie } = require('express-session');
const { createForm } = require('../../lib/session/express/formats');
const { EXPIRY_WIDTH, expiryField, parseExpiryField } = require('../../lib/session/express/formats/expiry');
const { nextRevision } = require('../../lib/session/express/formats/revision');

const json = createForm({});
const cookie = (maxAge) => new Cookie({ maxAge });
const FIXED = new Cookie({ maxAge: 1000 });
const plain = (value) => JSON.parse(JSON.stringify(value));

describe('the expiry', () => {
  test.each([
    [new Date('2026-11-22T01:02:03.004Z'), 86_400_000],
    ['2026-11-22T01:02:03.999Z', 0.5],
    [null, null],
    [undefined, undefined],
    [new Date('9998-01-01'), Number.MAX_SAFE_INTEGER],
    [new Date(0), -1],
  ])('%s and %s have the same width, and come back', (expires, originalMaxAge) => {
    const field = expiryField({ expires, originalMaxAge });
    expect(field).toHaveLength(EXPIRY_WIDTH);
    expect(parseExpiryField(field)).toEqual({
      expires: expires ? new Date(expires).toISOString() : null,
      originalMaxAge: originalMaxAge ?? null,
    });
  });

  test.each([new Date(Number.NaN), new Date('+020000-01-01'), 'soon', Infinity])('%s is no end', (expires) => {
    expect(parseExpiryField(expiryField({ expires, originalMaxAge: Infinity }))).toEqual({
      expires: null,
      originalMaxAge: null,
    });
  });

  test('seconds that follow each other, in any order', () => {
    for (const time of [1_000_000_000_999, 1_000_000_001_000, 1_000_000_000_998, 1_000_000_001_001]) {
      const { expires } = parseExpiryField(expiryField({ expires: new Date(time), originalMaxAge: 1 }));
      expect(Date.parse(expires)).toBe(time);
    }
  });
});

test('a revision is never the same twice', () => {
  const revisions = Array.from({ length: 10_000 }, nextRevision);
  expect(new Set(revisions).size).toBe(10_000);
  expect(new Set(revisions.map(({ length }) => length))).toEqual(new Set([16]));
});

describe('JSON', () => {
  test.each([
    ['as express-session has it', () => ({ cookie: cookie(1000), user: 1 })],
    ['a cookie alone', () => ({ cookie: cookie(1000) })],
    ['the cookie behind other keys', () => ({ user: 1, cookie: cookie(null) })],
    [
      'more settings',
      () => ({ cookie: new Cookie({ maxAge: 5, partitioned: true, priority: 'high', domain: 'x' }), u: 1 }),
    ],
    ['a maxAge that is undefined', () => ({ cookie: cookie(undefined), user: 1 })],
    ['toJSON', () => ({ cookie: FIXED, toJSON: () => ({ cookie: plain(FIXED), user: 1 }) })],
  ])('%s: fields of fixed width first, and still JSON that others read', (_, make) => {
    const session = make();
    const { value, mark, whole } = json.encode('id', session);
    expect(whole).toBe(false);
    expect(value).toMatch(/^\{"cookie":\{"revision":"[\w-]{16}","expires":/);
    expect(value.slice(json.patch.offset - 10)).toMatch(/^"expires":(null|"[^"]+") +,"originalMaxAge":\S+ +[,}]/);
    const decoded = json.decode('id', value);
    const expected = plain(session);
    expected.cookie.originalMaxAge ??= null;
    expected.cookie.expires ??= null;
    expect(decoded.session).toEqual(expected);
    expect(decoded.mark).toBe(mark);
    expect(value.startsWith(mark)).toBe(true);
    const { revision, ...others } = JSON.parse(value).cookie;
    expect(others).toEqual(expected.cookie);
    expect(mark.endsWith(revision)).toBe(true);
    const touched = value.slice(0, json.patch.offset) + json.expiry('id', { expires: null, originalMaxAge: 9000 }) + value.slice(json.patch.offset + EXPIRY_WIDTH); // prettier-ignore
    expect(json.decode('id', touched).session.cookie.originalMaxAge).toBe(9000);
  });

  test.each([
    { a: 1 },
    { cookie: {} },
    { cookie: { expires: 5, originalMaxAge: 1 } },
    { cookie: 'x' },
    { cookie: null },
  ])('%p has no place for an expiry, and stays as it is', (session) => {
    const { value, mark, whole } = json.encode('id', session);
    expect([value, mark, whole]).toEqual([JSON.stringify(session), value, true]);
    expect(json.decode('id', value)).toEqual({ session, mark: value, whole: true });
  });

  test.each([undefined, () => {}, Symbol('x')])('what JSON leaves out is no session: %p', (result) => {
    expect(() => json.encode('id', { toJSON: () => result })).toThrow('session: expected an object that JSON can hold');
  });
});

describe('encryption', () => {
  const sealed = createForm({ keys: [randomBytes(32)] });

  test('opens for its own id alone', () => {
    const { value } = sealed.encode('a', { cookie: cookie(1000), user: 1 });
    expect(sealed.decode('a', value).session.user).toBe(1);
    expect(sealed.decode('b', value)).toBeUndefined();
  });

  test('the same session never has the same bytes', () => {
    const session = { cookie: cookie(1000) };
    const [one, two] = [sealed.encode('a', session).value, sealed.encode('a', session).value];
    expect(one.subarray(20).equals(two.subarray(20))).toBe(false);
  });
});
