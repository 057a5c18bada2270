'use strict';
// What is stored of a response, and what a 304 changes in it. https://www.rfc-editor.org/rfc/rfc9111.html#section-3
const { ResponseHead } = require('../../lib/http/serve/response-head');
const stored = require('../../lib/http/storage/stored-response');

const NOW = Date.UTC(2026, 0, 1, 12);
const judgement = /** @type {any} */ ({
  lifetime: 60_000,
  age: 5000,
  staleWhileRevalidate: 1000,
  staleIfError: 2000,
  noCache: false,
  mustRevalidate: false,
  forAuthorized: false,
});
const DATE = 'Thu, 01 Jan 2026 11:59:00 GMT';

/** @param {Record<string, any>} fields */
const head = (fields, status = 200) => new ResponseHead(status, Object.entries(fields));

/**
 * @param {Record<string, any>} fields
 * @param {{ status?: number, body?: string, outer?: Array<[string, string]> }} [more]
 */
const store = (fields, { status = 200, body = 'body', outer = [] } = {}) =>
  stored.toStoredResponse(
    { head: head(fields, status), message: '', body: Buffer.from(body), outer: new Map(outer) },
    judgement,
    NOW,
  );

/**
 * What is left of the fields, as [name, value] pairs.
 * @param {import('../../lib/http/storage/stored-response').StoredResponse} response
 */
const fieldsOf = ({ metadata }) => metadata.head.flatMap((name, at) => (at % 2 ? [] : [[name, metadata.head[at + 1]]]));

test('names, lines and their order are kept as the app wrote them', () => {
  const response = store({ 'X-LATIN': 'caf\xe9', Link: ['<a>', '<b>'], 'x-n': 7, ETag: '"e"', Date: DATE });
  expect(fieldsOf(response)).toEqual([
    ['X-LATIN', 'caf\xe9'],
    ['Link', '<a>'],
    ['Link', '<b>'],
    ['x-n', '7'],
    ['ETag', '"e"'],
    ['Date', DATE],
  ]);
});

test('fields of the connection are not stored, nor what Connection names: 3.1', () => {
  const response = store({
    Connection: 'close, X-Hop ,X-Other',
    'x-hop': '1',
    'X-Other': ['1', '2'],
    'Keep-Alive': 'timeout=5',
    'Proxy-Authenticate': 'Basic',
    'Proxy-Authentication-Info': 'x',
    'Proxy-Authorization': 'x',
    'Proxy-Connection': 'close',
    TE: 'trailers',
    Trailer: 'X-Sum',
    'Transfer-Encoding': 'chunked',
    Upgrade: 'h2c',
    Age: '3',
    'Cache-Status': 'behind; hit',
    'Content-Length': '4',
    'X-End': 'kept',
    ETag: '"e"',
    Date: DATE,
  });
  expect(fieldsOf(response).map(([name]) => name)).toEqual(['X-End', 'ETag', 'Date']);
  expect(response.metadata.upstream).toBe('behind; hit');
});

test('fields that outer layers set before are theirs, unless they were changed', () => {
  /** @type {Array<[string, string]>} */
  const outer = [
    ['x-request-id', '1'],
    ['x-layer', 'a\nb'],
    ['x-same', 'x'],
  ];
  const fields = { 'X-Request-Id': '1', 'X-Layer': ['a', 'b', 'c'], 'X-Same': 'y', ETag: '"e"', Date: DATE };
  expect(fieldsOf(store(fields, { outer })).map(([name]) => name)).toEqual([
    'X-Layer',
    'X-Layer',
    'X-Layer',
    'X-Same',
    'ETag',
    'Date',
  ]);
});

test('an ETag and a Date are made where there is none, the ETag for 200 alone', () => {
  const one = store({});
  expect(one.metadata.etag).toMatch(/^"[\w-]{27}"$/);
  expect(one.metadata.etag).toBe(store({}).metadata.etag);
  expect(one.metadata.etag).not.toBe(store({}, { body: 'other' }).metadata.etag);
  expect(fieldsOf(one)).toEqual([
    ['ETag', one.metadata.etag],
    ['Date', new Date(NOW).toUTCString()],
  ]);
  expect(store({}, { status: 404 }).metadata.etag).toBe('');
  expect(store({ ETag: 'W/"mine"' }).metadata.etag).toBe('W/"mine"');
});

test('what the policy says is kept in numbers', () => {
  const { metadata } = store({ 'Last-Modified': DATE });
  expect(metadata).toMatchObject({
    http: 2,
    status: 200,
    age: 5000,
    life: 60_000,
    swr: 1000,
    sie: 2000,
    flags: 0,
    modified: DATE,
  });
  expect(stored.isStoredResponse({ payload: Buffer.alloc(0), metadata })).toBe(true);
});

test.each([204, 304])('%i has no body', (status) => {
  expect(store({}, { status }).payload).toHaveLength(0);
  expect(stored.hasBody(status)).toBe(false);
});

describe('the header update of a 304: 3.2', () => {
  const old = store({
    'Content-Type': 'text/plain',
    'Content-Encoding': 'gzip',
    'X-Old': ['1', '2'],
    'X-Changed': ['a', 'b'],
    'Cache-Control': 'max-age=1',
    ETag: '"e"',
    Date: DATE,
  });
  /** @param {Record<string, any>} fields @param {Array<[string, string]>} [outer] */
  const update = (fields, outer = []) => stored.updatedHead(old.metadata, head(fields, 304), new Map(outer));

  test('what it says replaces all lines of a field, what it does not say stays', () => {
    const updated = update({ 'x-changed': 'c', 'X-New': 'n', 'Cache-Control': 'max-age=9', Date: DATE });
    expect(updated.status).toBe(200);
    expect(updated.lines('x-changed')).toEqual(['c']);
    expect(updated.lines('x-old')).toEqual(['1', '2']);
    expect([updated.get('x-new'), updated.get('cache-control'), updated.get('etag')]).toEqual([
      'n',
      'max-age=9',
      '"e"',
    ]);
  });

  test('what belongs to the body stays as it is', () => {
    const updated = update({
      'Content-Length': '99',
      'Content-Type': 'x/y',
      'Content-Encoding': 'br',
      'Content-Range': 'bytes 0-0/1',
    });
    expect([updated.get('content-type'), updated.get('content-encoding')]).toEqual(['text/plain', 'gzip']);
    expect([updated.has('content-length'), updated.has('content-range')]).toEqual([false, false]);
    // Only these: Content-Foo is a field like others.
    expect(update({ 'Content-Foo': 'f' }).get('content-foo')).toBe('f');
  });

  test('fields of the connection, and those of outer layers, are not taken', () => {
    const updated = update({ Connection: 'X-Hop', 'X-Hop': '1', 'Keep-Alive': 'x', 'X-Request-Id': '2' }, [
      ['x-request-id', '2'],
    ]);
    for (const name of ['connection', 'x-hop', 'keep-alive', 'x-request-id']) expect(updated.has(name)).toBe(false);
  });

  test('the same body gets the new head, the new age, and the Cache-Status that it had', () => {
    const updated = update({ 'X-New': 'n', Age: '7' });
    expect(updated.get('age')).toBe('7');
    const fresh = stored.revalidated(
      /** @type {any} */ (old),
      updated,
      { ...judgement, age: 7000, lifetime: 9000 },
      NOW + 5,
    );
    expect(fresh.payload).toBe(old.payload);
    expect(fresh.created).toBe(NOW + 5);
    expect(fresh.metadata).toMatchObject({ status: 200, age: 7000, life: 9000, etag: '"e"', upstream: '' });
    expect(fieldsOf(fresh).map(([name]) => name)).not.toContain('Age');
    expect(fieldsOf(fresh)).toContainEqual(['X-New', 'n']);
    expect(fieldsOf(old).map(([name]) => name)).not.toContain('X-New');
  });
});

test.each([
  ['nothing', {}],
  ['no metadata', { payload: Buffer.alloc(0), metadata: null }],
  ['another version', { payload: Buffer.alloc(0), metadata: { http: 1, status: 200, life: 1, head: [] } }],
  ['no head', { payload: Buffer.alloc(0), metadata: { http: 2, status: 200, life: 1, head: 'x' } }],
  ['no status', { payload: Buffer.alloc(0), metadata: { http: 2, life: 1, head: [] } }],
  ['no lifetime', { payload: Buffer.alloc(0), metadata: { http: 2, status: 200, head: [] } }],
  ['no Buffer', { payload: 'x', metadata: { http: 2, status: 200, life: 1, head: [] } }],
  ['a marker', { payload: Buffer.alloc(0), metadata: { http: 2, names: ['cookie'], generation: 'g', soft: 's' } }],
])('an entry with %s is no stored response', (what, entry) => {
  expect(stored.isStoredResponse(entry)).toBe(false);
  expect(stored.isMarker(/** @type {any} */ (entry).metadata)).toBe(what === 'a marker');
});
