'use strict';
// Every typed method, alone, in a pipeline and in a transaction, on each server that is installed, in RESP3 and in RESP2: it
// gives the same JavaScript value everywhere.

const { createCache, createRedis } = require('../../lib');
const { mayWait } = require('../../lib/redis/blocking');
const { linkOf } = require('../../lib/redis/link');
const { METHODS } = require('../../lib/redis/commands');
const { RedisServer, servers } = require('../helpers/redis-server');
const { delay, rejection, turns } = require('../helpers/until');

const KINDS = servers().flatMap((kind) => [3, 2].map((protocol) => [kind.name, protocol, kind]));

// Commands in order, from an empty database. A function checks; anything else is what toStrictEqual wants.
const TABLES = {
  basics: require('../helpers/redis-methods/basics'),
  'values and keys': require('../helpers/redis-methods/values-and-keys'),
  collections: require('../helpers/redis-methods/collections'),
  lists: require('../helpers/redis-methods/lists'),
  streams: require('../helpers/redis-methods/streams'),
  geo: require('../helpers/redis-methods/geo'),
  bitmaps: require('../helpers/redis-methods/bitmaps'),
};

test('the tables have every method', () => {
  const tested = new Set(Object.values(TABLES).flatMap((table) => table.map(([method]) => method)));
  expect(METHODS.map(([method]) => method).filter((method) => !tested.has(method))).toEqual([]);
});

function check(what, value, expected) {
  try {
    if (typeof expected === 'function') expected(value);
    else expect(value).toStrictEqual(expected);
  } catch (error) {
    error.message = `${what}: ${error.message}`;
    throw error;
  }
}

describe.each(KINDS)('%s, RESP%i', (_name, protocol, kind) => {
  let server;
  let redis;

  beforeAll(async () => {
    server = await RedisServer.start({ program: kind.program });
    redis = createRedis({ url: server.url, protocol });
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    await redis.close();
    await server.stop();
  });

  test('it is this protocol', async () => {
    await redis.ping();
    expect(linkOf(redis).state.protocol).toBe(protocol);
  });

  describe.each(Object.entries(TABLES))('%s', (_subject, table) => {
    test('one by one', async () => {
      for (const [method, args, expected] of table) {
        const value = await redis[method](...args).catch((error) => error);
        check(`${method} ${args}`, value, expected);
      }
    });

    test.each(['pipeline', 'multi'])('%s', async (kindOfBatch) => {
      const batch = redis[kindOfBatch]();
      for (const [method, args] of table) batch[method](...args);
      const values = await batch.exec();
      expect(values).toHaveLength(table.length);
      table.forEach(([method, args, expected], index) => check(`${method} ${args}`, values[index], expected));
    });
  });

  test('what was dumped can be restored', async () => {
    await redis.functionFlush();
    await redis.functionLoad("#!lua name=lib\nredis.register_function('f', function() return 7 end)");
    await redis.hset('h', 'f', Buffer.from([0, 255, 128]));
    const [alone, inBytes, [inPipeline], [inMulti, text, functions]] = await Promise.all([
      redis.dump('h'),
      redis.buffers.dump('h'),
      redis.pipeline().dump('h').exec(),
      redis.multi().dump('h').echo('größe').functionDump().exec(),
    ]);
    expect([inBytes, inPipeline, inMulti]).toEqual([alone, alone, alone]);
    expect(text).toBe('größe');
    await redis.flushall();
    await redis.functionFlush();
    await redis.restore('h', 0, alone);
    await redis.functionRestore(functions);
    expect(await redis.buffers.hgetall('h')).toEqual(new Map([[Buffer.from('f'), Buffer.from([0, 255, 128])]]));
    expect(await redis.fcall('f', 0)).toBe(7);
    await redis.functionFlush();
  });

  test('streams in bytes', async () => {
    const { buffers } = redis;
    const bytes = (text) => Buffer.from(text);
    const one = [bytes('1-1'), new Map([[bytes('f'), bytes('v')]])];
    expect(await buffers.xadd('s', '1-1', 'f', 'v')).toEqual(bytes('1-1'));
    expect(await buffers.xrange('s', '-', '+')).toEqual([one]);
    expect(await buffers.xread('STREAMS', 's', 0)).toEqual(new Map([[bytes('s'), [one]]]));
    expect((await buffers.xinfoStream('s'))['first-entry']).toEqual(one);
    await redis.xgroupCreate('s', 'g', 0);
    expect((await buffers.xinfoGroups('s'))[0]).toMatchObject({ name: bytes('g'), pending: 0 });
  });

  describe('methods that wait', () => {
    // Of each, what it is given for a wait of so many milliseconds, which is in vain.
    const WAITING = [
      ['blpop', (ms) => ['no', ms / 1000]],
      ['brpop', (ms) => ['no', ms / 1000]],
      ['blmove', (ms) => ['no', 'm', 'LEFT', 'LEFT', ms / 1000]],
      ['blmpop', (ms) => [ms / 1000, 1, 'no', 'LEFT']],
      ['bzpopmin', (ms) => ['no', ms / 1000]],
      ['bzpopmax', (ms) => ['no', ms / 1000]],
      ['bzmpop', (ms) => [ms / 1000, 1, 'no', 'MIN']],
      ['wait', (ms) => [1, ms], 0],
      ['xread', (ms) => ['BLOCK', ms, 'STREAMS', 'no', '$']],
      ['xreadgroup', (ms) => ['GROUP', 'g', 'me', 'BLOCK', ms, 'STREAMS', 's', '>']],
    ];
    let impatient;

    beforeEach(async () => {
      impatient = createRedis({ url: server.url, protocol, commandTimeout: '200ms' });
      await impatient.xgroupCreate('s', 'g', 0, 'MKSTREAM');
    });
    afterEach(() => impatient.destroy());

    // Each on a connection of its own.
    const together = (call) =>
      Promise.all(
        WAITING.map(async (row) => {
          const client = impatient.duplicate();
          await call(client, row).finally(() => client.destroy());
        }),
      );

    test('this is all of them', () => {
      const waiting = METHODS.filter(([, words]) => mayWait(words)).map(([method]) => method);
      expect(WAITING.map(([method]) => method).sort()).toEqual(waiting.sort());
    });

    test('may take longer than the command timeout', async () => {
      await together(async (client, [method, argsFor, expected = null]) => {
        expect([method, await client[method](...argsFor(500))]).toEqual([method, expected]);
      });
    });

    test('have no timeout when they wait without end', async () => {
      await together(async (client, [method, argsFor]) => {
        const answer = client[method](...argsFor(0)).catch((error) => error.code);
        expect([method, await Promise.race([answer, delay(500)])]).toEqual([method, undefined]);
      });
    });

    test('are refused while a cache uses the client', async () => {
      const cache = createCache({ redis: impatient });
      for (const [method, argsFor] of WAITING) {
        expect([method, await rejection(impatient[method](...argsFor(10)))]).toMatchObject([method, { code: 'BLOCKING' }]); // prettier-ignore
      }
      await cache.close();
      expect(await impatient.blpop(...WAITING[0][1](10))).toBeNull();
    });

    test('a server that is silent is noticed when their time and the command timeout are over', async () => {
      const answer = rejection(impatient.blpop('no', 0.3));
      await turns();
      server.pause();
      try {
        expect(await answer).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'BLPOP' });
      } finally {
        server.resume();
      }
    });
  });
});
