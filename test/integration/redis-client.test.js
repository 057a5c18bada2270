'use strict';
// createRedis against a real server: types, order, authentication, reconnects, timeouts, the end.

const net = require('node:net');
const { createRedis, RedisError } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { RedisServer, freePort } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { REPLIES, turnsBetweenReplies } = require('../helpers/slices');
const { delay, nextEvent, rejection, until } = require('../helpers/until');

let server;
let clients = [];
const connect = (options = {}) => {
  const client = createRedis(typeof options === 'string' ? options : { url: server.url, ...options });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  server = await RedisServer.start({ args: ['--enable-debug-command', 'yes'] });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => server.stop());

describe('commands', () => {
  test('what is too much for a command is refused, callbacks too', async () => {
    const client = connect();
    const callback = jest.fn();
    for (const read of [client, client.buffers]) {
      expect((await rejection(read.get('a', 'b'))).message).toMatch(/wrong number of arguments for 'get'/);
      expect((await rejection(read.get('a', callback))).message).toMatch(
        /^GET: argument 1: expected .* got a function/,
      );
    }
    expect((await rejection(client.set('a', 'b', callback))).message).toMatch(/^SET: argument 2: expected/);
    expect(callback).not.toHaveBeenCalled();
  });

  test('those with a method of their own', async () => {
    const client = connect();
    await client.call('FLUSHALL');
    expect(await client.ping()).toBe('PONG');
    expect(await client.get('k')).toBeNull();
    expect(await client.set('k', 'größe 🙂')).toBe('OK');
    expect(await client.get('k')).toBe('größe 🙂');
    expect(await client.set('k', 1, 'NX')).toBeNull();
    expect(await client.set('l', 'x', 'PX', 100_000)).toBe('OK');
    expect(await client.pttl('l')).toBeGreaterThan(90_000);
    expect(await client.mget('k', 'x', 'l')).toEqual(['größe 🙂', null, 'x']);
    expect(await client.exists('k', 'l', 'x')).toBe(2);
    expect(await client.del('k', 'x')).toBe(1);
    expect(await client.unlink('l')).toBe(1);
  });

  test('arguments of every type', async () => {
    const client = connect();
    const echo = (value) => client.call('ECHO', value);
    const digits = 7n ** 2000n;
    expect(await Promise.all([5, -0.5, 1e21, -0, 10n ** 30n, digits].map(echo))).toEqual(
      ['5', '-0.5', '1e+21', '0', '1000000000000000000000000000000', String(digits)], // prettier-ignore
    );
    for (const text of ['', '\0', 'a\r\nb', 'x'.repeat(1019), 'x'.repeat(1020), 'x'.repeat(1024), 'é'.repeat(700)]) {
      expect(await echo(text)).toBe(text);
    }
    expect(await echo(Buffer.from('bytes'))).toBe('bytes');
    expect(await echo(new Uint8Array([97, 98]).subarray(1))).toBe('b');
    expect(await client.call('STRLEN', Buffer.from([0xff, 0xfe]))).toBe(0);
    await client.set(Buffer.from([0xff]), Buffer.from([0xfe, 0]));
    await client.set(Buffer.from([0xfe]), 'other');
    expect(await client.call('STRLEN', Buffer.from([0xff]))).toBe(2);
    expect(await client.call('SETRANGE', 'range', 3, 'x')).toBe(4);
  });

  test('more arguments than fit the stack', async () => {
    const client = connect();
    const pairs = Array.from({ length: 5000 }, (_, i) => [`many:${i}`, i]);
    expect(await client.call('MSET', ...pairs.flat())).toBe('OK');
    expect(await client.mget(...pairs.map(([key]) => key))).toEqual(pairs.map(([, value]) => String(value)));
  });

  test('bad arguments are refused by their index, and spoil nothing', async () => {
    const client = connect();
    const bad = [undefined, null, true, {}, [], Symbol('s'), () => 1, new Date(), new Uint16Array(1)];
    for (const value of bad) {
      const errors = await Promise.all([
        rejection(client.set('k', value)),
        rejection(client.call('SET', 'k', value)),
        rejection(client.del('a', 'b', value)),
        rejection(client.get(value)),
      ]);
      for (const error of errors) expect(error).toBeInstanceOf(TypeError);
      expect(errors.map((error) => error.message.split(': expected')[0])).toEqual(
        ['SET: argument 1', 'SET: argument 2', 'DEL: argument 2', 'GET: argument 0'], // prettier-ignore
      );
    }
    for (const name of [undefined, 5, '', null, {}]) {
      expect(await rejection(client.call(name))).toBeInstanceOf(TypeError);
    }
    const good = client.set('k', 'good');
    await rejection(client.set('k', {}));
    expect(await Promise.all([good, client.get('k')])).toEqual(['OK', 'good']);
  });

  test('error replies are RedisErrors with code and command', async () => {
    const client = connect();
    await client.call('DEL', 'list');
    await client.call('RPUSH', 'list', 'x');
    const error = await rejection(client.get('list'));
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({ name: 'RedisError', code: 'WRONGTYPE', command: 'GET' });
    expect((await rejection(client.call('NOSUCH', 'x'))).code).toBe('ERR');
    expect((await rejection(client.del())).code).toBe('ERR');
  });
});

describe('replies', () => {
  test('that came together are taken in slices', async () => {
    expect(await turnsBetweenReplies(connect())).toBeGreaterThan(REPLIES / 2);
  });

  test.each([
    ['string', 'Hello World'],
    ['integer', 12_345],
    ['double', 3.141],
    ['null', null],
    ['array', [0, 1, 2]],
    ['set', new Set([0, 1, 2])],
    ['map', new Map([[0, false], [1, true], [2, false]])], // prettier-ignore
    ['bignum', 1234567999999999999999999999999999999n],
    ['true', true],
    ['false', false],
    ['verbatim', 'This is a verbatim\nstring'],
  ])('RESP3 %s', async (type, value) => {
    expect(await connect().call('DEBUG', 'PROTOCOL', type)).toEqual(value);
  });

  test('integers beyond 2^53 are bigints', async () => {
    const client = connect();
    await client.set('n', '9007199254740990');
    expect([await client.call('INCR', 'n'), await client.call('INCR', 'n')]).toEqual(
      [9007199254740991, 9007199254740992n], // prettier-ignore
    );
    await client.set('n', '-9223372036854775807');
    expect(await client.call('DECR', 'n')).toBe(-9223372036854775808n);
  });

  test('special doubles, nested and empty collections', async () => {
    const client = connect();
    await client.call('DEL', 'z');
    await client.call('ZADD', 'z', 'inf', 'a', '-inf', 'b', '0.5', 'c');
    expect(await client.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')).toEqual([['b', -Infinity], ['c', 0.5], ['a', Infinity]]); // prettier-ignore
    expect(await client.call('HGETALL', 'nothing')).toEqual(new Map());
    expect(await client.call('SMEMBERS', 'nothing')).toEqual(new Set());
    const script = "return {1, 'a', {2, {}, false}, redis.status_reply('FINE'), {{{{5}}}}}";
    expect(await client.call('EVAL', script, 0)).toEqual([1, 'a', [2, [], null], 'FINE', [[[[5]]]]]);
  });

  test('errors inside of an EXEC are values', async () => {
    const client = connect();
    const replies = await client.multi().set('k', 'text').incr('k').exec();
    expect(replies[0]).toBe('OK');
    expect(replies[1]).toBeInstanceOf(RedisError);
    expect(replies[1]).toBeInstanceOf(Error);
    expect(replies[1].message).toMatch(/not an integer/);
  });

  test('100,000 elements, in order', async () => {
    const client = connect();
    const script = 'local t = {} for i = 1, 100000 do t[i] = i end return t';
    const list = await client.call('EVAL', script, 0);
    expect(list).toHaveLength(100_000);
    expect(list.every((value, index) => value === index + 1)).toBe(true);
    expect(Array.isArray(list)).toBe(true);
  });

  test.each([[8191], [8192], [8193], [16_383], [16_384]])('%i elements', async (count) => {
    const script = `local t = {} for i = 1, ${count} do t[i] = i end return t`;
    const list = await connect().call('EVAL', script, 0);
    expect(list).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  test('5 MB there and back', async () => {
    const client = connect();
    const value = 'größe'.repeat(900_000);
    expect(await Promise.all([client.set('big', value), client.get('big'), client.ping()])).toEqual([
      'OK',
      value,
      'PONG',
    ]);
    await client.del('big');
  });

  test('strings of every width around the sizes at which their encoding changes', async () => {
    const expected = [];
    for (const letter of ['a', 'é', '中', '😀', 'a中']) {
      for (const bytes of [1016, 1024, 1032, 9_999, 10_002, 100_002, 5 << 20]) {
        const count = Math.ceil(bytes / Buffer.byteLength(letter));
        expected.push(letter.repeat(count), `${letter.repeat(count)}b`);
      }
    }
    const client = connect();
    await client.ping();
    const key = (i) => `width:${i}`;
    await Promise.all(expected.map((value, i) => client.set(key(i), value)));
    for (const [i, value] of expected.entries()) {
      const bytes = await client.buffers.get(key(i));
      expect(Buffer.compare(bytes, Buffer.from(value))).toBe(0);
      expect((await client.get(key(i))) === value).toBe(true);
    }
    expect(await client.set('width:lone', `${'a'.repeat(2000)}\ud800`)).toBe('OK');
    expect((await client.get('width:lone')).endsWith('a\ufffd')).toBe(true);
  });

  test('10,000 commands of one tick, with errors among them, are answered in order', async () => {
    const client = connect();
    await client.set('text', 'x');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10_000 }, (_, i) => (i % 100 === 7 ? client.call('INCR', 'text') : client.call('ECHO', i))),
    );
    outcomes.forEach((outcome, i) => {
      if (i % 100 === 7 ? outcome.status !== 'rejected' : outcome.value !== String(i)) throw new Error(`wrong at ${i}`);
    });
  });
});

describe('connections', () => {
  test('database, client name and unix socket', async () => {
    await connect().set('where', 'zero');
    const client = connect({ url: `${server.unixUrl}?db=3`, clientName: 'my-app' });
    expect(await client.get('where')).toBeNull();
    await client.set('where', 'three');
    const list = await client.call('CLIENT', 'LIST');
    expect(list).toMatch(/name=my-app.* db=3 /);
    expect(await connect(`${server.url}/3`).get('where')).toBe('three');
  });

  test('a database that does not exist is an error, and no connection', async () => {
    const client = connect({ db: 999, commandTimeout: '200ms' });
    const [error] = await nextEvent(client, 'error');
    expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(error.message).toContain('SELECT');
  });

  test('events of a life', async () => {
    const client = connect({ host: '127.0.0.1' });
    const seen = [];
    for (const name of ['connect', 'ready', 'close', 'error', 'reconnecting']) client.on(name, () => seen.push(name));
    expect(client.status).toBe('connecting');
    await client.ping();
    expect(client.status).toBe('ready');
    const killer = connect();
    const id = await client.call('CLIENT', 'ID');
    const reconnecting = nextEvent(client, 'reconnecting');
    const closing = nextEvent(client, 'close');
    await killer.call('CLIENT', 'KILL', 'ID', id);
    const [{ reason }] = await closing;
    expect(reason).toMatch(/connection to 127\.0\.0\.1:\d+ lost/);
    const [{ attempt, delay: wait }] = await reconnecting;
    expect(attempt).toBe(1);
    expect(wait).toBeGreaterThanOrEqual(25);
    expect(wait).toBeLessThanOrEqual(50);
    expect(client.status).toBe('reconnecting');
    expect(await client.ping()).toBe('PONG');
    await client.close();
    expect(client.status).toBe('closed');
    expect(seen).toEqual(['connect', 'ready', 'close', 'error', 'reconnecting', 'connect', 'ready', 'close']);
  });

  test('a command in flight when the connection is lost is rejected, and not sent again', async () => {
    const client = connect();
    await client.call('DEL', 'count');
    const lost = rejection(client.call('BLPOP', 'nothing', 0));
    const id = await connect()
      .call('CLIENT', 'LIST')
      .then((list) => /id=(\d+) [^\n]*cmd=blpop/.exec(list)[1]);
    await connect().call('CLIENT', 'KILL', 'ID', id);
    expect(await lost).toMatchObject({ code: 'CONNECTION_LOST', command: 'BLPOP' });
    expect(await client.get('count')).toBeNull();
  });

  test('commands wait for the connection, up to maxQueuedCommands', async () => {
    const client = connect({ maxQueuedCommands: 3 });
    // What has waited longest makes room.
    const refused = rejection(client.del('q'));
    const answers = [client.set('q', 1), client.get('q'), client.ping()];
    expect(await refused).toMatchObject({
      code: 'QUEUE_FULL',
      command: 'DEL',
      message: 'DEL: too many commands wait for a connection (options maxQueuedCommands, maxQueuedBytes)',
    });
    expect(await Promise.all(answers)).toEqual(['OK', '1', 'PONG']);
    expect(await Promise.all([1, 2, 3, 4, 5].map(() => client.ping()))).toHaveLength(5);
  });

  test('or to maxQueuedBytes', async () => {
    const client = connect({ maxQueuedBytes: 1000 });
    const first = rejection(client.set('q', 'x'.repeat(2000)));
    const second = client.ping();
    expect((await first).code).toBe('QUEUE_FULL');
    expect(await second).toBe('PONG');
  });

  test('a bulk load of one turn is taken whole, with the default limits', async () => {
    const client = connect({ commandTimeout: '60s' });
    await client.ping();
    const value = 'x'.repeat(4000);
    const bulk = client.pipeline();
    for (let i = 0; i < 20_000; i++) bulk.set(`bulk:${i % 100}`, `${i}:${value}`);
    const going = bulk.exec();
    const behind = client.multi().incr('bulk:visits').exec();
    const singles = Array.from({ length: 20_000 }, (_, i) => client.set(`single:${i % 100}`, i));
    expect((await going).filter((answer) => answer !== 'OK')).toEqual([]);
    expect(await behind).toEqual([1]);
    expect((await Promise.all(singles)).filter((answer) => answer !== 'OK')).toEqual([]);
    expect((await client.get('bulk:99')).slice(0, 6)).toBe('19999:');
    expect(await client.get('single:99')).toBe('19999');
  });

  test('without a server, commands time out with the reason, and errors are only events', async () => {
    const port = await freePort();
    const client = connect({ url: `redis://127.0.0.1:${port}`, commandTimeout: '80ms' });
    const began = performance.now();
    const error = await rejection(client.get('k'));
    const reason = `cannot connect to 127.0.0.1:${port}: connection refused`;
    expect(error).toMatchObject({
      code: 'COMMAND_TIMEOUT',
      command: 'GET',
      message: `GET: no connection within the command timeout: ${reason}`,
      cause: { code: 'CONNECT_FAILED', message: reason },
    });
    expect(performance.now() - began).toBeLessThan(400 * PATIENCE);
    const [event] = await nextEvent(client, 'error');
    expect(event).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(event.message).toContain(`127.0.0.1:${port}`);
  });

  test('a command that waits behind one with more time is told the reason, too', async () => {
    const port = await freePort();
    const client = connect({ port, commandTimeout: '200ms' });
    const behind = rejection(client.blpop('list', 60));
    const reason = `cannot connect to 127.0.0.1:${port}: connection refused`;
    expect(await rejection(client.get('k'))).toMatchObject({
      code: 'COMMAND_TIMEOUT',
      message: `GET: no connection within the command timeout: ${reason}`,
      cause: { code: 'CONNECT_FAILED', message: reason },
    });
    client.destroy();
    expect((await behind).code).toBe('CLIENT_CLOSED');
  });

  test('offlineQueue: false rejects at once, with the reason, while there is no connection', async () => {
    const frozen = await RedisServer.start();
    try {
      const client = connect({ url: frozen.url, offlineQueue: false, reconnect: { min: '10ms', max: '10ms' } });
      const place = `127.0.0.1:${frozen.port}`;
      expect(await rejection(client.get('k'))).toMatchObject({
        code: 'UNAVAILABLE',
        command: 'GET',
        message: `GET: there is no connection: ${place} has not answered`,
      });
      const got = [];
      await client.subscribe('c', (message) => got.push(message));
      await client.ready();
      expect(await client.set('k', 'v')).toBe('OK');
      await client.publish('c', 'hello');
      await until('the message', () => got.length === 1);
      const closed = nextEvent(client, 'close');
      await frozen.kill();
      await closed;
      await nextEvent(client, 'reconnecting');
      const failures = await Promise.all([
        rejection(client.get('k')),
        rejection(client.call('LPUSH', 'l', 1)),
        rejection(client.buffers.get('k')),
        rejection(client.multi().set('k', 1).set('k', 2).exec()),
        client.pipeline().set('k', 1).exec().then(([error]) => error),
      ]); // prettier-ignore
      for (const error of failures) {
        expect(error.code).toBe('UNAVAILABLE');
        expect(error.message).toContain(`: there is no connection: `);
        expect(error.message.split(place)).toHaveLength(2);
        expect(error.cause).toBeInstanceOf(RedisError);
      }
      await frozen.restart();
      await client.ready();
      expect(await client.get('k')).toBeNull();
    } finally {
      await frozen.stop();
    }
  });

  test.each([[false], [true]])('family: 4 or 6 takes no address of the other kind, tls: %p', async (tls) => {
    const seen = [];
    const listener = net.createServer((socket) => {
      seen.push(socket.remoteFamily);
      socket.destroy();
    });
    listener.listen(0, '127.0.0.1');
    try {
      await nextEvent(listener, 'listening');
      const { port } = listener.address();
      const wrong = connect({ url: undefined, host: 'localhost', port, family: 6, tls });
      expect((await nextEvent(wrong, 'error'))[0].code).toBe('CONNECT_FAILED');
      expect(seen).toEqual([]);
      wrong.destroy();
      const right = connect({ url: undefined, host: 'localhost', port, family: 4, tls });
      await nextEvent(right, 'error');
      right.destroy();
      expect(seen[0]).toBe('IPv4');
    } finally {
      listener.close();
    }
  });

  test('a name that does not resolve', async () => {
    const [error] = await nextEvent(connect('redis://no-such-host.invalid'), 'error', 10_000);
    expect(error.code).toBe('CONNECT_FAILED');
    expect(error.message).toContain('no-such-host.invalid');
  });
});

describe('timeouts', () => {
  test('late replies still go to the commands that they answer', async () => {
    const client = connect({ commandTimeout: '60ms' });
    await client.set('k', 'mine');
    await connect().call('CLIENT', 'PAUSE', 150, 'ALL');
    const began = performance.now();
    const errors = await Promise.all([rejection(client.call('ECHO', 'late')), rejection(client.call('INCR', 'k'))]);
    expect(performance.now() - began).toBeLessThan(140 * PATIENCE);
    expect(errors.map((error) => error.code)).toEqual(['COMMAND_TIMEOUT', 'COMMAND_TIMEOUT']);
    await delay(250);
    const answers = [client.get('k'), client.call('ECHO', 'x')];
    expect(await Promise.all(answers)).toEqual(['mine', 'x']);
    expect(client.status).toBe('ready');
  });

  test('a frozen server is bounded by commandTimeout, and close() does not wait for ever', async () => {
    const client = connect({ commandTimeout: '60ms' });
    await client.ping();
    server.pause();
    try {
      expect((await rejection(client.get('k'))).code).toBe('COMMAND_TIMEOUT');
      const last = rejection(client.ping());
      const closed = client.close();
      expect(['COMMAND_TIMEOUT', 'CLIENT_CLOSED']).toContain((await last).code);
      await until('the end', () => client.status === 'closed');
      await closed;
    } finally {
      server.resume();
    }
  });
});

describe('authentication', () => {
  let guarded;
  beforeAll(async () => {
    guarded = await RedisServer.start({
      args: ['--requirepass', 'top:s3cret/', ...['--user', 'app', 'on', '>p%40ss', '~*', '&*', '+@all']],
    });
  });
  afterAll(() => guarded.stop());

  test('by password, and by user and password', async () => {
    const { port } = guarded;
    const byPassword = connect(`redis://:${encodeURIComponent('top:s3cret/')}@127.0.0.1:${port}`);
    expect(await byPassword.call('ACL', 'WHOAMI')).toBe('default');
    const byUser = connect({ url: guarded.url, username: 'app', password: 'p%40ss' });
    expect(await byUser.call('ACL', 'WHOAMI')).toBe('app');
    expect(await connect(`redis://app:p%2540ss@127.0.0.1:${port}/1`).call('ACL', 'WHOAMI')).toBe('app');
  });

  test('a wrong password is told, but not which', async () => {
    const client = connect({ url: guarded.url, username: 'app', password: 'wr0ng-hunter2', commandTimeout: '150ms' });
    const told = [];
    for (const name of ['error', 'close', 'reconnecting']) client.on(name, (details) => told.push(details));
    const error = await rejection(client.get('k'));
    expect(error.code).toBe('COMMAND_TIMEOUT');
    expect(told[0]).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(told[0].message).toContain('WRONGPASS');
    const everything = [error, ...told].map((one) => `${one.stack ?? ''}${one.message}${JSON.stringify(one)}`).join();
    expect(everything).not.toContain('hunter2');
  });

  test('no password where one is needed', async () => {
    const [error] = await nextEvent(connect(guarded.url), 'error');
    expect(error.message).toContain('NOAUTH');
  });
});

describe('ready()', () => {
  /** A server that is there, and answers PING so. */
  async function serverThatSays(pong) {
    const sockets = new Set();
    const listening = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const [, name] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          socket.write(name === 'PING' ? pong() : name === 'HELLO' ? '-ERR unknown command\r\n' : '+OK\r\n');
        }
      });
    });
    await new Promise((resolve) => void listening.listen(0, '127.0.0.1', resolve));
    const close = async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void listening.close(resolve));
    };
    return { port: listening.address().port, close };
  }

  test('waits for a server that still reads its data', async () => {
    let asked = 0;
    const loading = await serverThatSays(() =>
      ++asked < 4 ? '-LOADING Redis is loading the dataset in memory\r\n' : '+PONG\r\n',
    );
    const client = createRedis({ port: loading.port, heartbeat: 0 });
    try {
      await client.ready();
      expect(asked).toBe(4);
    } finally {
      client.destroy();
      await loading.close();
    }
  });

  test('rejects with what such a server says when it takes too long', async () => {
    const loading = await serverThatSays(() => '-LOADING Redis is loading the dataset in memory\r\n');
    const client = createRedis({ port: loading.port, heartbeat: 0, connectTimeout: '150ms' });
    try {
      const error = await rejection(client.ready());
      expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'LOADING' } });
      expect(error.message).toContain(`127.0.0.1:${loading.port}: LOADING Redis is loading`);
    } finally {
      client.destroy();
      await loading.close();
    }
  });

  test('rejects when the client is closed while the server is asked', async () => {
    let asked = 0;
    const silent = await serverThatSays(() => (asked++, ''));
    const client = createRedis({ port: silent.port, protocol: 3, heartbeat: 0 });
    try {
      const error = rejection(client.ready());
      await until('the question', () => client.status === 'ready' && asked > 0);
      client.destroy();
      expect(await error).toMatchObject({ code: 'CLIENT_CLOSED' });
    } finally {
      client.destroy();
      await silent.close();
    }
  });

  test('resolves where PING is not allowed', async () => {
    const strict = await serverThatSays(() => '-NOPERM no permission\r\n');
    const client = createRedis({ port: strict.port, heartbeat: 0 });
    try {
      await client.ready();
    } finally {
      client.destroy();
      await strict.close();
    }
  });

  test.each(['ready', 'connect'])(
    '%s() resolves when the client is connected, and at once when it is',
    async (method) => {
      const client = connect();
      expect(client.status).toBe('connecting');
      expect(await client[method]()).toBeUndefined();
      expect(client.status).toBe('ready');
      await client[method]();
    },
  );

  test('waits for a server that comes later, and after a connection that was lost', async () => {
    const port = await freePort();
    const client = connect({ port, reconnect: { max: '100ms' } });
    const ready = client.ready();
    await nextEvent(client, 'error');
    const late = await RedisServer.start({ port });
    try {
      await ready;
      expect(client.status).toBe('ready');
      const lost = nextEvent(client, 'reconnecting');
      await late.restart();
      await lost;
      expect(client.status).toBe('reconnecting');
      await client.ready();
      expect(await client.ping()).toBe('PONG');
    } finally {
      await late.stop();
    }
  });

  test('rejects with the reason after connectTimeout; the client goes on', async () => {
    const client = connect({ port: await freePort(), connectTimeout: '200ms' });
    const error = await rejection(client.ready());
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'CONNECT_FAILED' } });
    expect(error.message).toMatch(/^ready: no connection within the connect timeout: cannot connect to .*refused$/);
    await nextEvent(client, 'reconnecting');
  });

  test('a wrong password, and a server that says nothing', async () => {
    const frozen = await RedisServer.start({ args: ['--requirepass', 'right'] });
    try {
      const wrong = connect({ url: frozen.url, password: 'wrong', connectTimeout: '500ms' });
      expect((await rejection(wrong.ready())).message).toContain('WRONGPASS');
      frozen.pause();
      const silent = connect({ url: frozen.url, connectTimeout: '200ms' });
      const { message } = await rejection(silent.ready());
      expect(message).toMatch(
        /^ready: .*no connection within the connect timeout.* takes the connection and says nothing/,
      );
      expect(message).toContain(`127.0.0.1:${frozen.port}: `);
      wrong.destroy();
      silent.destroy();
    } finally {
      await frozen.stop();
    }
  });

  test('rejects when the client is closed, before and meanwhile', async () => {
    const [closed, destroyed] = [connect({ port: await freePort() }), connect()];
    const waiting = [closed, destroyed].map((client) => rejection(client.ready()));
    const ended = closed.close();
    destroyed.destroy();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'CLIENT_CLOSED' });
    await ended;
    expect(await rejection(closed.connect())).toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  test('without a connect timeout it waits on', async () => {
    const client = connect({ port: await freePort(), connectTimeout: 0 });
    const ready = rejection(client.ready());
    await nextEvent(client, 'error');
    await nextEvent(client, 'error');
    client.destroy();
    expect(await ready).toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});

describe('the end', () => {
  test('close() waits for the answers that are due', async () => {
    const client = connect();
    await client.ping();
    const answers = Array.from({ length: 100 }, (_, i) => client.call('ECHO', i));
    await client.close();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
    await Promise.all([client.close(), client.close()]);
  });

  test('destroy() rejects them', async () => {
    const client = connect();
    await client.ping();
    const answers = [client.call('BLPOP', 'nothing', 0), client.ping()].map(rejection);
    client.destroy();
    client.destroy();
    expect((await Promise.all(answers)).map((error) => error.code)).toEqual(['CLIENT_CLOSED', 'CLIENT_CLOSED']);
    expect(client.status).toBe('closed');
    await client.close();
  });

  test('calls afterwards are rejected', async () => {
    const client = connect();
    await client.close();
    for (const call of [client.get('k'), client.call('PING'), client.set('k', 1, 'NX'), client.ping()]) {
      expect(await rejection(call)).toMatchObject({ code: 'CLIENT_CLOSED' });
    }
    expect(client.ref().unref()).toBe(client);
  });

  test('before it is connected, too', async () => {
    const [closed, destroyed] = [connect(), connect()];
    // close() waits for what was asked before; destroy() does not.
    const [answered, refused] = [closed.ping(), rejection(destroyed.ping())];
    destroyed.destroy();
    await closed.close();
    expect(await answered).toBe('PONG');
    expect((await refused).code).toBe('CLIENT_CLOSED');
  });

  test('from inside of an answer and of an event', async () => {
    const client = connect();
    const next = client.ping().then(() => client.destroy());
    const behind = client.call('BLPOP', 'nothing', 0).catch((error) => error.code);
    await next;
    expect(await behind).toBe('CLIENT_CLOSED');
    const other = connect();
    other.once('ready', () => other.destroy());
    expect((await rejection(other.call('BLPOP', 'nothing', 0))).code).toBe('CLIENT_CLOSED');
  });

  test('reconnect as a function says the delays, from the first attempt on, and again after a connection', async () => {
    const own = await RedisServer.start();
    try {
      const asked = [];
      const told = [];
      const client = connect({
        url: own.url,
        reconnect(attempt) {
          asked.push(attempt);
          return attempt * 2;
        },
      });
      client.on('reconnecting', (details) => told.push(details));
      await client.ready();
      for (let round = 1; round <= 2; round++) {
        await own.kill();
        await until('3 attempts', () => asked.length >= 3);
        await own.restart();
        await client.ready();
        expect(asked).toEqual(asked.map((_, index) => index + 1));
        expect(told).toEqual(asked.map((attempt) => ({ attempt, delay: attempt * 2 })));
        asked.length = 0;
        told.length = 0;
      }
    } finally {
      await own.stop();
    }
  });

  test.each([[false], [null]])('reconnect() => %p ends the client with the last error', async (end) => {
    const port = await freePort();
    const client = connect({ port, reconnect: (attempt) => (attempt > 2 ? end : 1) });
    const cause = { code: 'CONNECT_FAILED', message: `cannot connect to 127.0.0.1:${port}: connection refused` };
    let attempts = 0;
    client.on('error', () => attempts++);
    const [got, exec, ready] = await Promise.all([
      rejection(client.get('k')),
      rejection(client.multi().set('k', 1).exec()),
      rejection(client.ready()),
      rejection(client.subscribe('c', () => {})),
    ]);
    expect(got).toMatchObject({ code: 'CONNECT_FAILED', command: 'GET', message: `GET: ${cause.message}`, cause });
    expect(exec).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining(cause.message) });
    expect(ready).toMatchObject({ code: 'CONNECT_FAILED', message: `ready: ${cause.message}`, cause });
    expect(client.status).toBe('closed');
    const message = `GET: the client is closed: ${cause.message}`;
    expect(await rejection(client.get('k'))).toMatchObject({ code: 'CLIENT_CLOSED', message, cause });
    expect(await rejection(client.ready())).toMatchObject({ code: 'CLIENT_CLOSED', cause });
    await client.close();
    expect(attempts).toBeGreaterThanOrEqual(3);
  });

  test('a reconnect function that fails is an error, and the client goes on', async () => {
    const results = [() => { throw new Error('mine'); }, () => 'soon', () => NaN, () => -1, () => undefined]; // prettier-ignore
    const errors = [];
    const client = connect({
      port: await freePort(),
      reconnect: (attempt) => (results[attempt - 1] ?? (() => false))(),
    });
    client.on('error', (error) => errors.push(error));
    expect((await rejection(client.get('k'))).code).toBe('CONNECT_FAILED');
    const messages = errors.filter(({ code }) => code !== 'CONNECT_FAILED').map((error) => error.message);
    const wanted = 'reconnect(): expected milliseconds from 0 to 2147483647, or false';
    expect(messages).toEqual(['mine', ...Array(4).fill(expect.stringContaining(wanted))]);
  });

  test('reconnect bounds the delays between attempts', async () => {
    const delays = [];
    const note = (client, count) =>
      new Promise((resolve) => {
        client.on('reconnecting', ({ delay }) => {
          if (delays.push(delay) === count) resolve();
        });
      });
    const client = connect({ port: await freePort(), reconnect: { min: '8ms', max: '32ms' } });
    await note(client, 6);
    for (const [index, longest] of [8, 16, 32, 32, 32, 32].entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(longest / 2);
      expect(delays[index]).toBeLessThanOrEqual(longest);
    }
    client.destroy();
  });

  test('unref() lets the process end, connected or not; ref() takes it back', async () => {
    const url = JSON.stringify(server.url);
    const [open, nowhere, taken] = await Promise.all([
      runScript(`const c = tiercel.createRedis(${url}).unref(); c.on('ready', () => console.log('ready'));
        await new Promise((resolve) => setTimeout(resolve, 200));`),
      runScript(`tiercel.createRedis('redis://127.0.0.1:1').unref();`),
      runScript(`const c = tiercel.createRedis(${url}); c.unref(); c.ref();`, { timeout: 600 }),
    ]);
    expect(open).toMatchObject({ code: 0, stdout: 'ready', stderr: '' });
    expect(nowhere).toMatchObject({ code: 0, stderr: '' });
    expect(taken.signal).toBe('SIGKILL');
  });

  test("an 'error' that nobody listens for ends nothing; a listener that throws ends nothing of ours", async () => {
    const silent = await runScript(`
      const client = tiercel.createRedis({ port: 1, commandTimeout: '100ms' });
      await client.ping().catch((error) => console.log(error.code));
      await client.close();`);
    expect(silent).toMatchObject({ code: 0, stdout: 'COMMAND_TIMEOUT' });
    expect(silent.stderr).toMatch(/^\(node:\d+\) \[TIERCEL_REDIS_UNREACHABLE\]/);
    const throwing = await runScript(`
      process.on('uncaughtException', (error) => console.log('caught', error.message));
      const client = tiercel.createRedis(${JSON.stringify(server.url)});
      client.on('ready', () => { throw new Error('mine'); });
      console.log(await client.ping());
      await client.close();`);
    expect(throwing).toMatchObject({ code: 0, stderr: '' });
    expect(throwing.stdout.split('\n').sort()).toEqual(['PONG', 'caught mine']);
  });
});
