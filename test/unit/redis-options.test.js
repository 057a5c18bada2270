'use strict';
// Redis options from URLs, objects and the environment. What is wrong is said without the password.

const { createCache, createRedis } = require('../../lib');
const { normalizeRedisOptions, redisFromEnvironment } = require('../../lib/redis/options');

const normalize = (given, env = {}) => normalizeRedisOptions(given, 'redis', env);

function errorOf(action) {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

describe('defaults', () => {
  test('are those of the contract', () => {
    expect(normalize({})).toEqual({
      host: '127.0.0.1',
      port: 6379,
      family: 0,
      path: '',
      username: '',
      password: '',
      db: 0,
      clientName: '',
      protocol: 3,
      commandTimeout: 5000,
      connectTimeout: 10_000,
      heartbeat: 5000,
      backoffMin: 50,
      backoffMax: 10_000,
      tls: undefined,
      offlineQueue: true,
      maxQueuedCommands: 10_000,
      maxQueuedBytes: 64 * 1024 ** 2,
    });
  });

  test('stand in for what is undefined', () => {
    expect(normalize({ host: undefined, port: undefined, db: undefined })).toEqual(normalize({}));
  });
});

describe('reconnect', () => {
  const backoff = (reconnect) => {
    const { backoffMin, backoffMax } = normalize({ reconnect });
    return [backoffMin, backoffMax];
  };

  test('is in durations', () => {
    expect(backoff({ min: '20ms', max: 2 })).toEqual([20, 2000]);
    expect(backoff({ max: '50ms' })).toEqual([50, 50]);
    expect(backoff({ min: '1m' })).toEqual([60_000, 60_000]);
    expect(backoff(undefined)).toEqual([50, 10_000]);
  });

  test('may be a function', () => {
    const reconnect = () => 5;
    expect(normalize({ reconnect })).toEqual({ ...normalize({}), reconnect });
  });

  test.each([
    [{ min: '1s', max: '500ms' }, 'reconnect.max'],
    [{ max: '40ms' }, 'reconnect.max'],
    [{ min: 0 }, 'reconnect.min'],
    [{ max: 'soon' }, 'reconnect.max'],
    [{ delay: 5 }, "no option 'delay'"],
    [null, 'reconnect: expected { min, max } or a function'],
    [false, 'reconnect'],
    ['1s', 'reconnect'],
  ])('%j is refused', (reconnect, word) => {
    const error = errorOf(() => normalize({ reconnect }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(word);
  });
});

describe('URLs', () => {
  test.each([
    ['redis://', {}],
    ['redis://example.org', { host: 'example.org' }],
    ['redis://example.org:7000', { host: 'example.org', port: 7000 }],
    ['redis://example.org/', { host: 'example.org' }],
    ['redis://example.org/5', { host: 'example.org', db: 5 }],
    ['redis://example.org/6?db=6', { host: 'example.org', db: 6 }],
    ['redis://example.org?db=6', { host: 'example.org', db: 6 }],
    ['redis://:secret@h', { host: 'h', password: 'secret' }],
    ['redis://me:secret@h:1/2', { host: 'h', port: 1, username: 'me', password: 'secret', db: 2 }],
    ['redis://m%40e:s%3A%2F%3F%23%25%40%20x@h', { host: 'h', username: 'm@e', password: 's:/?#%@ x' }],
    ['redis://:%E2%82%AC+%00@h', { host: 'h', password: '€+\0' }],
    ['redis://[::1]', { host: '::1' }],
    ['redis://:pw@[2001:db8::7]:7001/3', { host: '2001:db8::7', port: 7001, password: 'pw', db: 3 }],
    ['valkey://:p@h:7', { host: 'h', port: 7, password: 'p' }],
    ['valkeys://h', { host: 'h', tls: {} }],
    ['redis://user@h', { host: 'h', username: 'user' }],
    ['redis://10.0.0.1:7000', { host: '10.0.0.1', port: 7000 }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock' }],
    ['unix:///run/with%20space.sock?db=4', { path: '/run/with space.sock', db: 4 }],
  ])('%s', (url, parts) => {
    expect(normalize(url)).toEqual({ ...normalize({}), ...parts });
    expect(normalize({ url })).toEqual(normalize(url));
    expect(normalize(new URL(url))).toEqual(normalize(url));
    expect(normalize({ url: new URL(url) })).toEqual(normalize(url));
  });

  test('options override their parts', () => {
    expect(normalize({ url: 'redis://a:b@h:1/2', host: 'other', db: 7, password: 'c', port: undefined })).toEqual({
      ...normalize({}),
      host: 'other',
      port: 1,
      db: 7,
      username: 'a',
      password: 'c',
    });
  });

  test.each([
    ['http://h', 'http://'],
    ['localhost:6379', 'expected a URL such as redis://localhost:6379, got a string that is no URL'],
    ['10.0.0.1:6379', 'expected a URL such as redis://localhost:6379, got a string that is no URL'],
    ['localhost', 'no URL'],
    ['', 'no URL'],
    ['redis://h:0', 'port'],
    ['redis://h:65536', 'no URL (a port is a number up to 65535;'],
    ['redis://h:port', 'no URL (a port is a number up to 65535;'],
    ['redis://u:pass/word@h', 'in a password / is written as %2F'],
    ['redis://h/-1', 'database'],
    ['redis://h/1.5', 'database'],
    ['redis://h/x', 'database'],
    ['redis://h/1/2', 'database'],
    ['redis://h/99999999999', 'database'],
    ['redis://h/1?db=2', 'two database numbers'],
    ['redis://h?db=1&db=2', 'two database numbers'],
    ['unix:///run/redis.sock?db=1&db=2', 'two database numbers'],
    ['unix://', 'path'],
    ['unix:///', 'path'],
    ['unix://run/redis.sock', 'unix:///'],
    ['redis://h?password=s3cret&tls=true', 'query parameter'],
    ['redis://h/0?db=1&family=6', 'query parameter'],
    ['redis://h/0#x', 'fragment'],
    ['redis://default:57#Wc903z@redis.internal:6379/0', '%23'],
    ['redis://default:57?Wc903z@redis.internal:6379/0', '%3F'],
    ['http://h', 'http://'],
    ['redis+socket:///run/redis.sock', 'redis+socket://'],
  ])('%s is refused', (url, word) => {
    for (const error of [errorOf(() => normalize(url)), errorOf(() => normalize({ url }))]) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^redis(\.|:)/);
      expect(error.message).toContain(word);
    }
  });
});

describe('no error tells the password', () => {
  const SECRET = 'hunter2';
  test.each([
    ['a bad escape', () => createRedis('redis://:hunter2%zz@h')],
    ['a bad escape in the user', () => createRedis('redis://u%zz:hunter2@h')],
    ['a bad port', () => createRedis('redis://:hunter2@h:99999')],
    ['a bad database', () => createRedis('redis://:hunter2@h/x')],
    ['a slash in the password', () => createRedis('redis://user:12/hunter2@h')],
    ['a slash in the password, unix', () => createRedis('unix://user:12/hunter2@h?db=x')],
    ['TLS', () => createRedis('rediss://:hunter2@h/x')],
    ['another protocol', () => createRedis('http://:hunter2@h')],
    ['no protocol', () => createRedis('user:hunter2@h')],
    ['no URL', () => createRedis(':hunter2@h')],
    ['a URL in place of options', () => createCache('redis://:hunter2@h')],
    ['a URL object', () => createCache({ redis: new URL('redis://:hunter2@h/x') })],
    ['a URL object that is no string', () => createRedis({ url: { href: 'redis://:hunter2@h' } })],
    ['a list of URLs', () => createCache({ redis: ['redis://:hunter2@h'] })],
    ['a password that is no string', () => createRedis({ password: ['hunter2'] })],
    ['a name that is no string', () => createRedis({ username: 5, password: SECRET })],
    ['a URL as memory', () => createCache({ memory: 'redis://:hunter2@h' })],
  ])('%s', (_name, create) => {
    const error = errorOf(create);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).not.toContain(SECRET);
    expect(String(error.stack)).not.toContain(SECRET + '@');
    expect(String(error.cause ?? '')).not.toContain(SECRET);
  });

  test('nor when it is a number', () => {
    const error = errorOf(() => createRedis({ password: 20_011_999 }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^options\.password: expected a string/);
    expect(error.message).not.toContain('20011999');
  });
});

describe('options', () => {
  test.each([
    ['host', ''],
    ['host', 5],
    ['family', 5],
    ['family', '4'],
    ['port', 0],
    ['port', 65_536],
    ['port', 1.5],
    ['port', '6379'],
    ['path', 5],
    ['username', 5],
    ['password', null],
    ['db', -1],
    ['db', 0.5],
    ['db', 2 ** 31],
    ['db', '1'],
    ['clientName', 'with space'],
    ['clientName', 'nul\0'],
    ['clientName', 5],
    ['commandTimeout', -1],
    ['commandTimeout', 'soon'],
    ['connectTimeout', NaN],
    ['offlineQueue', 'no'],
    ['maxQueuedCommands', 0],
    ['maxQueuedCommands', Infinity],
    ['maxQueuedBytes', 0],
    ['maxQueuedBytes', '1tb'],
    ['url', 5],
    ['url', null],
  ])('%s: %p is refused by name', (name, value) => {
    const error = errorOf(() => createRedis({ [name]: value }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(new RegExp(`^options\\.${name}: expected`));
  });

  test('durations and sizes take units, and a timeout of 0 is none', () => {
    const options = { commandTimeout: '250ms', connectTimeout: 0, maxQueuedBytes: '1kb' };
    expect(normalize(options)).toMatchObject({ commandTimeout: 250, connectTimeout: 0, maxQueuedBytes: 1024 });
  });

  test.each([
    [{ hots: 'h' }, "no option 'hots'"],
    [5, 'got 5'],
    [null, 'got null'],
    [[], 'got an array'],
  ])('%p is refused', (given, words) => {
    expect(() => normalize(given)).toThrow(TypeError);
    expect(() => normalize(given)).toThrow(words);
  });

  test('a user may need no password', () => {
    expect(normalize({ username: 'me' })).toMatchObject({ username: 'me', password: '' });
  });
});

describe('the environment', () => {
  test('REDIS_URL comes first', () => {
    const env = { REDIS_URL: 'redis://:p@u:1/2', REDIS_HOST: 'h' };
    expect(redisFromEnvironment(env)).toMatchObject({ host: 'u', port: 1, password: 'p', db: 2 });
  });

  test('REDIS_HOST and its like', () => {
    const env = { REDIS_HOST: 'h', REDIS_PORT: '7', REDIS_PASSWORD: 'p:/%', REDIS_DB: '3' };
    expect(redisFromEnvironment(env)).toMatchObject({ host: 'h', port: 7, password: 'p:/%', db: 3 });
    expect(redisFromEnvironment({ REDIS_HOST: 'h' })).toMatchObject({ host: 'h', port: 6379, password: '', db: 0 });
  });

  test('one of them is enough', () => {
    expect(redisFromEnvironment({ REDIS_PORT: '7' })).toMatchObject({ host: '127.0.0.1', port: 7 });
    expect(redisFromEnvironment({ REDIS_PASSWORD: 'p' })).toMatchObject({ host: '127.0.0.1', password: 'p' });
    expect(redisFromEnvironment({ REDIS_DB: '3', REDIS_URL: '' })).toMatchObject({ host: '127.0.0.1', db: 3 });
  });

  test('REDIS_USERNAME goes with the others, and names no Redis by itself', () => {
    const env = { REDIS_USERNAME: 'me', REDIS_PASSWORD: 'p' };
    expect(redisFromEnvironment(env)).toMatchObject({ host: '127.0.0.1', username: 'me', password: 'p' });
    expect(redisFromEnvironment({ ...env, REDIS_URL: 'redis://u' })).toMatchObject({ username: '', password: '' });
    expect(redisFromEnvironment({ REDIS_USERNAME: 'me' })).toBeUndefined();
  });

  const URL_OF_ALL = { REDIS_URL: 'rediss://me:p@u:1/2' };
  test.each([
    ['none', {}, URL_OF_ALL, { host: 'u', port: 1, username: 'me', password: 'p', db: 2, tls: {} }],
    ['others', { db: 7, commandTimeout: 1 }, URL_OF_ALL, { host: 'u', password: 'p', db: 7, commandTimeout: 1000 }],
    ['a password', { password: 'q' }, URL_OF_ALL, { host: 'u', username: 'me', password: 'q' }],
    ['REDIS_HOST', { db: 7 }, { REDIS_HOST: 'h', REDIS_DB: '3' }, { host: 'h', port: 6379, db: 7 }],
    ['an undefined host', { host: undefined, url: undefined }, URL_OF_ALL, { host: 'u', password: 'p' }],
  ])('options without an address take what they leave out from it: %s', (_name, options, env, expected) => {
    expect(normalize(options, env)).toMatchObject(expected);
  });

  test.each([
    [{ host: 'h' }],
    [{ port: 7 }],
    [{ path: '/run/redis.sock' }],
    [{ url: 'redis://h' }],
    ['redis://h'],
    [new URL('redis://h')],
  ])('with an address it has no say, so that its password goes nowhere else: %p', (options) => {
    expect(normalize(options, { ...URL_OF_ALL, REDIS_PASSWORD: 'p' })).toEqual(normalize(options));
  });

  test('createRedis and createCache ask it', async () => {
    const before = process.env.REDIS_URL;
    process.env.REDIS_URL = 'redis://h?db=x';
    try {
      for (const make of [createRedis, () => createRedis({ db: 1 }), () => createCache({ redis: { db: 1 } })]) {
        expect(make).toThrow(/^REDIS_URL: expected redis:/);
      }
      createRedis({ host: '127.0.0.1' }).destroy();
    } finally {
      if (before === undefined) delete process.env.REDIS_URL;
      else process.env.REDIS_URL = before;
    }
  });

  test('names none when there is none', () => {
    expect(redisFromEnvironment({})).toBeUndefined();
    expect(redisFromEnvironment({ REDIS_URL: '', REDIS_HOST: '', REDIS_PORT: '', REDIS_DB: '' })).toBeUndefined();
  });

  // What Kubernetes sets for a service that is called redis.
  test('the REDIS_PORT of a service link is no setting', () => {
    const env = { REDIS_PORT: 'tcp://10.3.2.1:7000' };
    expect(redisFromEnvironment(env)).toBeUndefined();
    expect(redisFromEnvironment({ ...env, REDIS_HOST: 'redis' })).toMatchObject({ host: 'redis', port: 6379 });
  });

  test.each([
    [{ REDIS_URL: 'redis://:hunter2@h:x' }, 'REDIS_URL'],
    [{ REDIS_HOST: 'h', REDIS_PORT: 'x' }, 'REDIS_PORT'],
    [{ REDIS_HOST: 'h', REDIS_PORT: '0' }, 'REDIS_PORT'],
    [{ REDIS_PORT: '0x10' }, 'REDIS_PORT'],
    [{ REDIS_DB: '1e1' }, 'REDIS_DB'],
    [{ REDIS_HOST: 'h', REDIS_DB: '-1' }, 'REDIS_DB'],
  ])('%p is refused by the name of the variable', (env, name) => {
    const error = errorOf(() => redisFromEnvironment(env));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: `));
    expect(error.message).not.toContain('hunter2');
  });
});
