'use strict';
// Every typed method, alone, in a pipeline and in a transaction, on each server that is installed, in RESP3 and in RESP2: it
// gives the same JavaScript value everywhere.

const { createRedis } = require('../../lib');
const { linkOf } = require('../../lib/redis/link');
const { METHODS } = require('../../lib/redis/commands');
const { RedisServer, servers } = require('../helpers/redis-server');

const KINDS = servers().flatMap((kind) => [3, 2].map((protocol) => [kind.name, protocol, kind]));

// Commands in order, from an empty database. A function checks; anything else is what toStrictEqual wants.
const TABLES = {
  basics: require('../helpers/redis-methods/basics'),
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
      for (const [method, args, expected] of table) check(`${method} ${args}`, await redis[method](...args), expected);
    });

    test.each(['pipeline', 'multi'])('%s', async (kindOfBatch) => {
      const batch = redis[kindOfBatch]();
      for (const [method, args] of table) batch[method](...args);
      const values = await batch.exec();
      expect(values).toHaveLength(table.length);
      table.forEach(([method, args, expected], index) => check(`${method} ${args}`, values[index], expected));
    });
  });
});
