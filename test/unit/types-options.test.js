'use strict';
// An option that is undefined is one that was left out: so say the types (exactOptionalPropertyTypes), and so it is.
const { cacheResponse, createCache, createRedis } = require('../..');
const { createKeyv, KeyvTiercel } = require('../../lib/keyv');
const { authMiddleware, createSessions, SessionStore } = require('../../lib/session');
const { declarationFiles, parse, placeOf, ts, walk } = require('../helpers/declarations');

const { AnyKeyword, UndefinedKeyword, UnknownKeyword } = ts.SyntaxKind;
const isProperty = (node) => ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);

/** Optional properties that do not take undefined. */
function withoutUndefined(source) {
  const found = [];
  walk(source, (node) => {
    if (!isProperty(node) || node.questionToken === undefined) return;
    const types = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
    if (!types.some(({ kind }) => [AnyKeyword, UndefinedKeyword, UnknownKeyword].includes(kind))) {
      found.push(placeOf(node));
    }
  });
  return found;
}

/** An object in which every optional property of the interfaces of this name is undefined. */
function allUndefined(...names) {
  const options = {};
  for (const { source } of declarationFiles()) {
    walk(source, (node) => {
      if (!ts.isInterfaceDeclaration(node) || !names.includes(node.name.text)) return;
      for (const member of node.members) if (member.questionToken) options[member.name.text] = undefined;
    });
  }
  expect(Object.keys(options)).not.toEqual([]);
  return options;
}

const LOAD = ['SetOptions', 'GetOrSetOptions'];

let cache;
let redis;
let sessions;

beforeEach(() => {
  cache = createCache({ redis: false });
  sessions = createSessions({ cache });
  // No server is asked: it is closed before a command leaves.
  redis = createRedis({ ...allUndefined('RedisOptions'), host: '127.0.0.1', port: 1 });
  redis.destroy();
});

afterEach(() => cache.close());

test('every optional property may be undefined', () => {
  expect(declarationFiles().flatMap(({ source }) => withoutUndefined(source))).toEqual([]);
  expect(withoutUndefined(parse('x.d.ts', 'interface A { b?: string; c?: (() => void) | undefined }'))).toEqual([
    'x.d.ts:1 A.b',
  ]);
});

describe('undefined is as left out', () => {
  /** The client is closed: that, and nothing about options. */
  const closed = (promise) => expect(promise).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });

  /** What is given the options, by their interface. */
  const USES = {
    CacheOptions: (options) => createCache({ ...options, redis: false }).close(),
    MemoryOptions: (memory) => createCache({ redis: false, memory }).close(),
    SetOptions: (options) => cache.set('k', 1, options),
    GetOrSetOptions: () => cache.getOrSet('k', () => 1, allUndefined(...LOAD)),
    MemoizeOptions: () => cache.memoize((a) => a, { ...allUndefined(...LOAD, 'MemoizeOptions'), key: 'k' })(1),
    DeleteOptions: (options) => cache.delete('k', options),
    RedisOptions: () => redis.close(),
    KeyScanOptions: (options) => closed(redis.sscan('k', options).next()),
    ScanOptions: () => closed(redis.scan(allUndefined('KeyScanOptions', 'ScanOptions')).next()),
    SubscribeOptions: (options) => closed(redis.subscribe('channel', () => {}, options)),
    CacheResponseOptions: (options) => cacheResponse({ ...options, cache }),
    PurgeOptions: (options) => cacheResponse({ cache }).purge({ ...options, tag: 'a' }),
    SessionStoreOptions: (options) => new SessionStore({ ...options, cache }).close(),
    SessionsOptions: (options) => createSessions({ ...options, cache }).close(),
    CreateSessionOptions: (options) => sessions.create({}, options),
    AuthMiddlewareOptions: (options) => authMiddleware({ ...options, sessions }),
    KeyvTiercelOptions: (options) => new KeyvTiercel({ ...options, cache }).disconnect(),
    CreateKeyvOptions: (options) => createKeyv({ ...options, cache }).set('k', 1),
  };

  test('no interface of options is forgotten', () => {
    const names = [];
    for (const { source } of declarationFiles()) {
      walk(source, (node) => {
        if (ts.isInterfaceDeclaration(node) && node.name.text.endsWith('Options')) names.push(node.name.text);
      });
    }
    expect(names.sort()).toEqual(Object.keys(USES).sort());
  });

  test.each(Object.keys(USES))('%s', async (name) => {
    await USES[name](allUndefined(name));
  });

  test('options that have no interface of their own', async () => {
    await sessions.destroyAllForUser(1, { except: undefined });
    await new KeyvTiercel({ cache }).setMany([{ key: 'k', value: 1, ttl: undefined }]);
    await createCache({ redis: false, logger: { warn: () => {}, error: undefined } }).close();
  });
});
