'use strict';
// What the client gives its callers, on each server that is installed, in RESP3 and in RESP2. The typed methods one by one:
// redis-methods.test.js.

const dc = require('node:diagnostics_channel');
const { randomBytes } = require('node:crypto');
const { createCache, createRedis, RedisError } = require('../../lib');
const { linkOf } = require('../../lib/redis/link');
const { RedisServer, servers } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { delay, rejection, until } = require('../helpers/until');

const KINDS = servers().flatMap((kind) => [3, 2].map((protocol) => [kind.name, protocol, kind]));
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const sorted = (array) => [...array].sort();

describe.each(KINDS)('%s, RESP%i', (_name, protocol, kind) => {
  let server;
  let redis;
  let clients = [];
  const connect = (options = {}) => {
    const client = createRedis({ url: server.url, ...options });
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    const hello = protocol === 2 ? ['--rename-command', 'HELLO', ''] : [];
    server = await RedisServer.start({ program: kind.program, args: ['--enable-debug-command', 'yes', ...hello] });
    redis = createRedis(server.url);
  });
  beforeEach(() => redis.flushall());
  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
  });
  afterAll(async () => {
    await redis.close();
    await server.stop();
  });

  test('it is this protocol', async () => {
    expect(linkOf(redis).state.protocol).toBe(protocol);
  });

  if (kind.number >= 70200) {
    test('ZRANK WITHSCORE', async () => {
      await redis.zadd('z', 1.5, 'a', 2, 'b');
      expect(await redis.zrank('z', 'b', 'WITHSCORE')).toEqual({ rank: 1, score: 2 });
      expect(await redis.zrevrank('z', 'a', 'withscore')).toEqual({ rank: 1, score: 1.5 });
      expect(await redis.zrank('z', 'no', 'WITHSCORE')).toBeNull();
    });
  }

  describe('buffers', () => {
    test('keys and values of all bytes', async () => {
      const { buffers } = redis;
      const key = Buffer.concat([Buffer.from('key'), ALL_BYTES]);
      expect(await buffers.set(key, ALL_BYTES)).toEqual('OK');
      expect(await buffers.get(key)).toEqual(ALL_BYTES);
      expect(await buffers.keys('*')).toEqual([key]);
      expect(await buffers.mget(key, 'no')).toEqual([ALL_BYTES, null]);
      expect(await buffers.call('GETRANGE', key, 250, 252)).toEqual(ALL_BYTES.subarray(250, 253));
      for (const byte of ALL_BYTES) {
        const one = Buffer.from([byte]);
        await buffers.sadd('bytes', one);
      }
      const members = await buffers.smembers('bytes');
      expect(Buffer.concat(members.sort(Buffer.compare))).toEqual(ALL_BYTES);
    });

    test('the other types', async () => {
      const { buffers } = redis;
      await redis.hset('h', ALL_BYTES, 'v');
      expect(await buffers.hgetall('h')).toEqual(new Map([[ALL_BYTES, Buffer.from('v')]]));
      expect(await buffers.hgetall('no')).toEqual(new Map());
      await redis.zadd('z', 1.5, ALL_BYTES);
      expect(await buffers.zscore('z', ALL_BYTES)).toBe(1.5);
      expect(await buffers.zrange('z', 0, 0, 'WITHSCORES')).toEqual([{ member: ALL_BYTES, score: 1.5 }]);
      expect(await buffers.zpopmin('z')).toEqual([{ member: ALL_BYTES, score: 1.5 }]);
      expect(await buffers.incr('n')).toBe(1);
      expect(await buffers.incrbyfloat('n', 0.5)).toBe(1.5);
      expect(await buffers.setnx('n', 1)).toBe(false);
      expect((await buffers.time())[0]).toBeGreaterThan(1e9);
      expect(Object.keys(await buffers.info('server'))).toEqual(['server']);
      expect(await buffers.get('no')).toBeNull();
      expect((await rejection(buffers.get('h'))).code).toBe('WRONGTYPE');
      expect(redis.buffers).toBe(buffers);
    });

    test('a Buffer stays what it was when more is read', async () => {
      await redis.set('k', 'first');
      const value = await redis.buffers.get('k');
      await Promise.all(Array.from({ length: 200 }, (_, i) => redis.echo(`other ${i}`)));
      expect(String(value)).toBe('first');
    });
  });

  describe('arguments', () => {
    test('of every kind and size', async () => {
      const large = randomBytes(5 << 20).toString('hex');
      const cases = [
        ['', ''],
        [large, large],
        [0, '0'],
        [-0, '0'],
        [1.5e300, '1.5e+300'],
        [-(2n ** 100n), '-1267650600228229401496703205376'],
        [Infinity, 'Infinity'],
        [NaN, 'NaN'], // as String() has it
        ['\ud800', '\ufffd'],
        [new Uint8Array(0), ''],
      ];
      await Promise.all(
        cases.map(async ([given, received]) => {
          if ((await redis.echo(given)) !== received) throw new Error(`echo of ${String(given).slice(0, 40)}`);
        }),
      );
      await redis.set('', 'empty key');
      expect(await redis.get('')).toBe('empty key');
      const bytes = randomBytes(10 << 20);
      await redis.set('bytes', bytes);
      expect(bytes.equals(await redis.buffers.get('bytes'))).toBe(true);
    });

    test('typed array views are sent as they are, others refused', async () => {
      await redis.set('k', new Uint8Array(ALL_BYTES.buffer, ALL_BYTES.byteOffset + 10, 5));
      expect(await redis.buffers.get('k')).toEqual(ALL_BYTES.subarray(10, 15));
      for (const bad of [null, undefined, true, {}, [1], new Float64Array(1), new DataView(new ArrayBuffer(1))]) {
        expect(await rejection(redis.hset('h', 'f', bad))).toBeInstanceOf(TypeError);
        expect(() => redis.pipeline().hset('h', 'f', bad)).toThrow(/HSET: argument 2/);
        expect(() => redis.multi().hset('h', 'f', bad)).toThrow(TypeError);
      }
    });
  });

  describe('text', () => {
    test('that is not ASCII', async () => {
      const parts = [
        'Съешь ещё этих мягких булок',
        '日本語テキスト漢字',
        '👩‍👩‍👧‍👦🏳️‍🌈',
        'e\u0301',
        '\0\u007f\u0080\u07ff\u0800\uffff',
        'x'.repeat(40),
      ];
      const texts = parts.flatMap((text) => [text, text.repeat(1000), `${'a'.repeat(1000)}${text}`]);
      for (const text of [...texts, parts.join('').repeat(500)]) {
        await redis.set(text, text);
        expect((await redis.get(text)) === text).toBe(true);
        expect((await redis.buffers.get(text)).equals(Buffer.from(text))).toBe(true);
      }
    });

    test('that is not valid UTF-8 becomes what Buffer makes of it', async () => {
      const broken = [
        'ff',
        'c0af',
        'e282',
        'eda080',
        'edbfbf',
        'f4908080',
        'f09f98',
        '80',
        'c3',
        'e0809f',
        'f0808080',
        'f8888080',
      ];
      const bytes = [ALL_BYTES, ...broken.map((hex) => Buffer.from(hex, 'hex')), ...Array.from({ length: 100 }, (_, i) => randomBytes(i * 3))]; // prettier-ignore
      for (const one of bytes) {
        for (const value of [
          one,
          Buffer.concat([Buffer.from('ascii '.repeat(20)), one]),
          Buffer.concat([one, Buffer.from('ж')]),
        ]) {
          await redis.set('k', value);
          if ((await redis.get('k')) !== value.toString()) throw new Error(`other text for ${value.toString('hex')}`);
        }
      }
    });
  });

  describe('pipeline', () => {
    test('has errors in their places', async () => {
      const pipeline = redis.pipeline().set('k', 'text').incr('k').call('NOSUCH').get('k').hgetall('none');
      expect(pipeline).toHaveLength(5);
      const values = await pipeline.exec();
      expect(values[0]).toBe('OK');
      expect(values[1]).toBeInstanceOf(RedisError);
      expect(values[1]).toMatchObject({ code: 'ERR', command: 'INCR' });
      expect(values[2]).toMatchObject({ code: 'ERR', command: 'NOSUCH' });
      expect(values.slice(3)).toEqual(['text', {}]);
      expect(pipeline).toHaveLength(0);
      expect(await pipeline.exec()).toEqual([]);
    });

    test('goes out as one batch, and when the client is closed, has that in each place', async () => {
      const pipeline = redis.pipeline();
      for (let i = 0; i < 5000; i++) pipeline.echo(i);
      expect(await pipeline.exec()).toEqual(Array.from({ length: 5000 }, (_, i) => String(i)));
      const client = connect();
      await client.close();
      expect(await client.pipeline().ping().ping().exec()).toMatchObject([{ code: 'CLIENT_CLOSED' }, { code: 'CLIENT_CLOSED' }]); // prettier-ignore
    });
  });

  describe('multi', () => {
    test('errors at run time stand in their places', async () => {
      const values = await redis.multi().set('k', 'text').incr('k').setnx('k', 1).hgetall('no').exec();
      expect(values[1]).toBeInstanceOf(RedisError);
      expect([values[0], values[2], values[3]]).toEqual(['OK', false, {}]);
      expect(await redis.multi().exec()).toEqual([]);
    });

    test('EXECABORT says the first cause, and nothing was done', async () => {
      const error = await rejection(redis.multi().set('k', 1).call('NOSUCH1').call('GET').exec());
      expect(error).toBeInstanceOf(RedisError);
      expect(error).toMatchObject({ code: 'EXECABORT', command: 'EXEC' });
      expect(error.message).toContain('NOSUCH1');
      expect(await redis.get('k')).toBeNull();
    });

    test('nobody comes in between', async () => {
      const work = Array.from({ length: 50 }, (_, i) => {
        const transaction = redis.multi().set('k', i).get('k').incr('n').get('k').exec();
        return [transaction, redis.set('k', 'other'), redis.get('k')];
      });
      for (const [i, [transaction]] of work.entries()) {
        expect(await transaction).toEqual(['OK', String(i), i + 1, String(i)]);
      }
      await Promise.all(work.flat());
    });
  });

  describe('script', () => {
    test('falls back to EVAL when the server does not know it', async () => {
      const add = redis.script("return redis.call('INCRBY', KEYS[1], ARGV[1])");
      expect(await add(['n'], [5])).toBe(5);
      expect(await add(['n'], [5])).toBe(10);
      await redis.scriptFlush();
      expect(await Promise.all(Array.from({ length: 20 }, () => add(['n'], [1])))).toHaveLength(20);
      expect(await redis.get('n')).toBe('30'); // each ran once
      expect(await redis.script('return 1')()).toBe(1);
      const failing = redis.script("return redis.error_reply('MINE it is')");
      expect(await rejection(failing())).toMatchObject({ code: 'MINE' });
      expect(() => redis.script('')).toThrow(TypeError);
    });
  });

  describe('scans', () => {
    test('of 10,000 keys', async () => {
      const pipeline = redis.pipeline();
      const names = Array.from({ length: 10_000 }, (_, i) => `key:${i}`);
      for (const name of names) pipeline.set(name, 1);
      pipeline.sadd('key:set', 1);
      await pipeline.exec();
      const collect = async (options) => {
        const keys = new Set();
        for await (const key of redis.scan(options)) keys.add(key);
        return keys;
      };
      expect((await collect({ count: 1000 })).size).toBe(10_001);
      expect(sorted(await collect({ match: 'key:1*', count: 500 }))).toEqual(sorted(names.filter((name) => name.startsWith('key:1')))); // prettier-ignore
      expect([...(await collect({ type: 'set', count: 1000 }))]).toEqual(['key:set']);
      expect((await collect({ match: 'none*', count: 5000 })).size).toBe(0);
      let some = 0;
      for await (const key of redis.scan()) if (key && ++some === 3) break;
      expect(await redis.ping()).toBe('PONG');
      for (const options of [{ count: 0 }, { count: 1.5 }, { match: 5 }, { type: 1 }, { nope: 1 }]) {
        expect(() => redis.scan(options)).toThrow(TypeError);
      }
    });

    test('of members, fields and scores', async () => {
      const numbers = Array.from({ length: 10_000 }, (_, i) => i);
      await redis.sadd('s', ...numbers);
      await redis.hset('h', ...numbers.flatMap((i) => [`f${i}`, i]));
      await redis.zadd('z', ...numbers.flatMap((i) => [i / 4, `m${i}`]), 'inf', 'last');
      const members = new Set();
      for await (const member of redis.sscan('s', { count: 1000 })) members.add(Number(member));
      expect(members.size).toBe(10_000);
      const fields = new Map();
      for await (const [field, value] of redis.hscan('h', { count: 1000, match: 'f*' })) fields.set(field, value);
      expect(fields).toEqual(new Map(numbers.map((i) => [`f${i}`, String(i)])));
      const scores = new Map();
      for await (const { member, score } of redis.zscan('z', { count: 1000 })) scores.set(member, score);
      expect(scores).toEqual(new Map([...numbers.map((i) => [`m${i}`, i / 4]), ['last', Infinity]]));
      const none = [];
      for await (const one of redis.zscan('none')) none.push(one);
      expect(none).toEqual([]);
    });
  });

  describe('subscriptions', () => {
    test('several listeners for a channel, and their ends', async () => {
      const client = connect();
      const got = [];
      const first = client.subscribe('c', (message, channel) => got.push(['first', message, channel]));
      const second = await client.subscribe(['c', 'd'], (message, channel) => got.push(['second', message, channel]));
      // Both are confirmed by now, though the first asked.
      expect(await redis.publish('c', 1)).toBe(1);
      await until('both', () => got.length === 2);
      expect(got).toEqual([['first', '1', 'c'], ['second', '1', 'c']]); // prettier-ignore
      await (await first).unsubscribe();
      await (await first).unsubscribe();
      expect(await redis.publish('c', 2)).toBe(1);
      await until('the third', () => got.length === 3);
      await second.unsubscribe();
      expect([await redis.publish('c', 3), await redis.publish('d', 3)]).toEqual([0, 0]);
      const again = await client.subscribe('c', (message) => got.push(message));
      await redis.publish('c', 4);
      await until('the last', () => got.length === 4);
      await again.unsubscribe();
      expect(got.slice(2)).toEqual([['second', '2', 'c'], '4']);
    });

    test('patterns, shards, bytes', async () => {
      const client = connect();
      const got = [];
      await client.psubscribe('p*', (message, channel, pattern) => got.push([message, channel, pattern]));
      await client.ssubscribe(['s1', 's2'], (message, channel) => got.push([message, channel]));
      await client.subscribe('bytes', (message) => got.push(message), { buffers: true });
      await redis.publish('påls', 'ж');
      await redis.call('SPUBLISH', 's2', 'shard');
      await redis.publish('bytes', ALL_BYTES);
      await redis.publish('bytes', '');
      await until('all', () => got.length === 4);
      expect(got).toEqual([['ж', 'påls', 'p*'], ['shard', 's2'], ALL_BYTES, Buffer.alloc(0)]); // prettier-ignore
      // Commands of the client go on as before.
      expect(await client.ping()).toBe('PONG');
    });

    test('10,000 messages, in order', async () => {
      const client = connect();
      const got = [];
      await client.subscribe('many', (message) => got.push(message));
      const pipeline = redis.pipeline();
      for (let i = 0; i < 10_000; i++) pipeline.publish('many', i);
      await pipeline.exec();
      await until('all', () => got.length === 10_000);
      expect(got.every((message, index) => message === String(index))).toBe(true);
    });

    test('are made again after the connection was lost', async () => {
      const client = connect();
      const got = [];
      await client.subscribe(['c', 'd'], (message) => got.push(message));
      await client.psubscribe('p*', (message) => got.push(message));
      await client.ssubscribe('s', (message) => got.push(message));
      const gone = await client.subscribe('gone', (message) => got.push(message));
      await gone.unsubscribe();
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(
        'all of them',
        async () => (await redis.publish('c', 'c')) + (await redis.publish('p', 'p')) === 2,
        5000,
      );
      await until('the shard', async () => (await redis.call('SPUBLISH', 's', 's')) === 1);
      expect(await redis.publish('gone', 'x')).toBe(0);
      await until('messages', () => ['c', 'p', 's'].every((message) => got.includes(message)));
    });

    test('wrong arguments are refused', async () => {
      const client = connect();
      const listener = () => {};
      for (const args of [
        [[], listener],
        ['', listener],
        [5, listener],
        ['c'],
        ['c', 'no'],
        ['c', listener, { nope: 1 }],
      ]) {
        expect(await rejection(client.subscribe(...args))).toBeInstanceOf(TypeError);
      }
      await client.close();
      expect(await rejection(client.subscribe('c', listener))).toMatchObject({ code: 'CLIENT_CLOSED' });
    });

    test('a listener that throws takes no message from others', async () => {
      const ran = await runScript(`
        process.on('uncaughtException', (error) => console.log('caught ' + error.message));
        const client = tiercel.createRedis(${JSON.stringify(server.url)});
        await client.subscribe('c', () => { throw new Error('mine'); });
        const got = [];
        await client.subscribe('c', (message) => got.push(message));
        await client.publish('c', 1);
        await client.publish('c', 2);
        while (got.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        console.log(got.join());
        await client.close();`);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout.split('\n').sort()).toEqual(['1,2', 'caught mine', 'caught mine']);
    });
  });

  describe('the client itself', () => {
    test('refuses what would change its connection', async () => {
      const names =
        'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MULTI EXEC DISCARD WATCH MONITOR SELECT SYNC PSYNC QUIT RESET HELLO AUTH UNWATCH REPLCONF READONLY READWRITE ASKING';
      for (const name of names.toLowerCase().split(' ')) {
        const error = await rejection(redis.call(name, 'x'));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(new RegExp(`^${name.toUpperCase()} cannot be called directly`));
        expect(await rejection(redis.buffers.call(name))).toBeInstanceOf(TypeError);
        expect(() => redis.pipeline().call(name)).toThrow(TypeError);
      }
      expect(await redis.ping()).toBe('PONG');
    });

    const pairs = ['CLIENT REPLY', 'CLIENT TRACKING', 'CLIENT CACHING', 'CLIENT NO-TOUCH', 'CLIENT CAPA', 'CLIENT IMPORT-SOURCE', 'SCRIPT DEBUG']; // prettier-ignore
    test.each(pairs)('refuses %s, however it is written, and says why', async (pair) => {
      const [command, word] = pair.split(' ');
      const bytes = Buffer.from(word.toLowerCase());
      const forms = [word, word.toLowerCase(), bytes, new Uint8Array(bytes)];
      const message = new RegExp(`^${pair} cannot be called directly: .`);
      for (const form of forms) {
        for (const name of [command, command.toLowerCase()]) {
          expect((await rejection(redis.call(name, form, 'OFF'))).message).toMatch(message);
          expect((await rejection(redis.buffers.call(name, form, 'OFF'))).message).toMatch(message);
          expect(() => redis.pipeline().call(name, form, 'OFF')).toThrow(message);
          expect(() => redis.multi().call(name, form, 'OFF')).toThrow(message);
        }
      }
      expect(await redis.call('CLIENT', Buffer.from('id'))).toEqual(expect.any(Number));
    });

    test('a client that a cache shares cannot have tracking switched off', async () => {
      const client = connect();
      const cache = createCache({ redis: client, namespace: 'tracked' });
      const other = createCache({ redis: server.url, memory: false, namespace: 'tracked' });
      await cache.set('k', 'old');
      await cache.get('k');
      await rejection(client.call('client', Buffer.from('tracking'), 'off'));
      await cache.get('k');
      await other.set('k', 'new');
      await until('the new value', async () => (await cache.get('k')) === 'new');
      await Promise.all([cache.close(), other.close()]);
    });

    test('duplicate() is another connection with the same options', async () => {
      const client = connect({ db: 5, clientName: 'twin' });
      const twin = client.duplicate();
      clients.push(twin);
      await client.set('k', 'five');
      expect(await twin.get('k')).toBe('five');
      expect(await twin.call('CLIENT', 'GETNAME')).toBe('twin');
      expect(await twin.call('CLIENT', 'ID')).not.toBe(await client.call('CLIENT', 'ID'));
      await client.close();
      expect(await twin.ping()).toBe('PONG');
    });

    test('counts exactly', async () => {
      const client = connect();
      await client.ping();
      const before = client.stats();
      expect(before).toMatchObject({ commands: 1, replies: 1, errors: 0, timeouts: 0, refused: 0, connects: 1, losses: 0, pushes: 0, waiting: 0 }); // prettier-ignore
      await client.set('k', 'größe'); // *3 $3 SET $1 k $7 größe
      await client.get('k');
      await rejection(client.incr('k'));
      const pending = client.ping();
      expect(client.stats().commands - before.commands).toBe(4);
      await pending;
      const after = client.stats();
      const sent = ['*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\ngröße\r\n', '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', '*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n', '*1\r\n$4\r\nPING\r\n']; // prettier-ignore
      const received = ['+OK\r\n', '$7\r\ngröße\r\n', '-ERR value is not an integer or out of range\r\n', '+PONG\r\n'];
      expect(after).toMatchObject({ commands: 5, replies: 5, errors: 1, timeouts: 0, waiting: 0 });
      expect(after.bytesOut - before.bytesOut).toBe(Buffer.byteLength(sent.join('')));
      expect(after.bytesIn - before.bytesIn).toBe(Buffer.byteLength(received.join('')));
      await redis.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      await until('the next connection', () => client.stats().connects === 2);
      expect(client.stats().losses).toBe(1);
    });

    test('traces while somebody listens, without what is the users', async () => {
      const seen = [];
      const handlers = {};
      for (const name of ['start', 'asyncEnd', 'error']) {
        handlers[name] = ({ result, ...context }) => seen.push([name, context, result]);
      }
      const channel = dc.tracingChannel('tiercel:redis');
      await redis.set('before', 1);
      channel.subscribe(handlers);
      try {
        await redis.set('secret-key', 'secret-value');
        await redis.call('ECHO', 'secret-value');
        await rejection(redis.incr('secret-key'));
      } finally {
        channel.unsubscribe(handlers);
      }
      await redis.set('after', 1);
      const commands = seen.map(([name, { command }]) => `${name} ${command}`);
      expect(commands).toEqual(['start SET', 'asyncEnd SET', 'start ECHO', 'asyncEnd ECHO', 'start INCR', 'error INCR', 'asyncEnd INCR']); // prettier-ignore
      for (const [, context] of seen) {
        expect(context).toMatchObject({ host: '127.0.0.1', port: server.port, db: 0 });
        expect(JSON.stringify(context)).not.toContain('secret');
      }
    });
  });

  describe('timeouts', () => {
    test('not for what may wait as long as it likes', async () => {
      const client = connect({ commandTimeout: '400ms' });
      const waits = [client.call('BLPOP', 'list', 0), client.call('ping')];
      await delay(1000); // more than twice the time that others have
      await redis.call('RPUSH', 'list', 'late');
      expect(await waits[0]).toEqual(['list', 'late']);
      expect(await client.call('bzpopmin', 'none', 1)).toBeNull();
      expect(await waits[1].catch((error) => error.code)).toMatch(/PONG|COMMAND_TIMEOUT/);
      expect(await client.ping()).toBe('PONG');
    });

    test('for everything else', async () => {
      const client = connect({ commandTimeout: '200ms' });
      await client.ping();
      const [error] = await Promise.all([rejection(client.call('DEBUG', 'SLEEP', 2)), delay(0)]);
      // Not with the answer, which comes much later.
      expect(error).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'DEBUG' });
      await redis.ping(); // the server answers again
      expect(await client.ping()).toBe('PONG');
      expect(client.stats().timeouts).toBe(1);
    });
  });

  test('errors inside of arrays are values', async () => {
    await redis.set('text', 'x');
    const script = "return {1, redis.error_reply('MINE not you'), {redis.pcall('INCR', 'text')}}";
    const [one, mine, [nested]] = await redis.eval(script, 0);
    expect(one).toBe(1);
    expect(mine).toBeInstanceOf(RedisError);
    expect(mine).toMatchObject({ code: 'MINE', message: 'MINE not you' });
    expect(nested).toBeInstanceOf(RedisError);
  });

  test('types of the protocol', async () => {
    const ask = (type, client = redis) => client.call('DEBUG', 'PROTOCOL', type);
    expect(await ask('integer')).toBe(12_345);
    expect(await ask('null')).toBeNull();
    const digits = '1234567999999999999999999999999999999';
    if (protocol === 3) {
      expect(await ask('attrib')).toBe('Some real reply following the attribute');
      expect(await Promise.all([ask('attrib'), redis.echo('x'), ask('attrib')])).toEqual(
        ['Some real reply following the attribute', 'x', 'Some real reply following the attribute'], // prettier-ignore
      );
      expect(await ask('bignum')).toBe(BigInt(digits));
      expect(await ask('double')).toBe(3.141);
      expect(await ask('true')).toBe(true);
      expect(await ask('verbatim', redis.buffers)).toEqual(Buffer.from('This is a verbatim\nstring'));
    } else {
      expect(await ask('bignum')).toBe(digits);
      expect(await ask('double')).toMatch(/^3\.141/);
      expect(await ask('true')).toBe(1);
    }
    expect(await ask('verbatim')).toBe('This is a verbatim\nstring');
  });

  // Last: it takes the server away.
  test('subscriptions outlive a restart of the server', async () => {
    const client = connect();
    const got = [];
    await client.subscribe('c', (message) => got.push(message));
    await client.psubscribe('p*', (message) => got.push(message));
    await server.restart();
    await until('both', async () => {
      const counts = await redis.pipeline().publish('c', 'c').publish('p', 'p').exec();
      return counts[0] === 1 && counts[1] === 1;
    }, 8000); // prettier-ignore
    await until('messages', () => got.includes('c') && got.includes('p'));
  });
});
