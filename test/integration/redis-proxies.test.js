'use strict';
// Servers and proxies that do not know HELLO, each with its own words, and those that end a connection that says it.
const net = require('node:net');

const { createCache, createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { rejection, until } = require('../helpers/until');

/** Every command of a burst: its name, and of how many words it is. */
const namesOf = (bytes) =>
  [...bytes.matchAll(/\*(\d+)\r\n\$\d+\r\n(\w+)/g)].map(([, count, name]) => [name.toUpperCase(), Number(count)]);

const USUAL = { GET: '$1\r\nv\r\n', PING: '+PONG\r\n' };

let closing = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

/**
 * @param {Record<string, string | [string] | null>} answers of commands; null closes the connection, one in an array is the
 *   last; what is not listed is OK
 */
async function proxyWith(answers) {
  const seen = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    seen.push([]);
    const commands = seen.at(-1);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      for (const [name, count] of namesOf(String(data))) {
        commands.push(name);
        if (count > 1 && answers[`${name} with arguments`] === null) return socket.destroy();
        const answer = name in answers ? answers[name] : (USUAL[name] ?? '+OK\r\n');
        if (answer === null) return socket.destroy();
        if (Array.isArray(answer)) return socket.end(answer[0]);
        socket.write(answer);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: server.address().port, seen };
}

function connect(options) {
  const client = createRedis(options);
  closing.push(() => client.destroy());
  return client;
}

test.each([
  ['-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n'],
  ["-unsupported command 'HELLO'\r\n"],
  ['-ERR unsupported command `hello`\r\n'],
  ["-NOPERM this user has no permissions to run the 'hello' command or its subcommand\r\n"],
  ["-ERR wrong number of arguments for 'hello' command\r\n"],
  ['-ERR syntax error\r\n'],
  ['-ERR Unknown command\r\n'],
  ["-command 'HELLO' is not allowed\r\n"],
])('RESP2 when HELLO is answered by %j', async (answer) => {
  const { port, seen } = await proxyWith({ HELLO: answer });
  expect(await connect({ port }).get('k')).toBe('v');
  expect(seen).toHaveLength(1);
});

test('RESP2 with AUTH when a proxy asks for the password that HELLO had', async () => {
  const { port, seen } = await proxyWith({ HELLO: '-NOAUTH Authentication required.\r\n' });
  expect(await connect({ port, password: 'secret' }).get('k')).toBe('v');
  expect(seen[0].slice(0, 2)).toEqual(['HELLO', 'AUTH']);
});

test.each(['HELLO', 'CLIENT'])('a proxy that ends a connection that says %s is asked without it', async (command) => {
  const answers = { [command]: null };
  if (command === 'CLIENT') answers.HELLO = '-ERR unknown command\r\n';
  const { port, seen } = await proxyWith(answers);
  const client = connect({ port });
  expect(await client.get('k')).toBe('v');
  expect(seen.map((commands) => commands[0])).toEqual(['HELLO', 'PING', 'HELLO', 'HELLO', 'PING']);
  expect(seen[4]).toEqual(['PING', 'GET']);
});

test('what was sent to one that ends the connection upon HELLO, and closed at once, arrives', async () => {
  const { port, seen } = await proxyWith({ HELLO: null });
  const client = connect({ port });
  const got = client.get('k');
  await client.close();
  expect(await got).toBe('v');
  expect(seen.at(-1)).toEqual(['PING', 'GET']);
});

test('the heartbeat is of a kind that such a proxy knows', async () => {
  const { port, seen } = await proxyWith({ HELLO: null, 'PING with arguments': null });
  const client = connect({ port, heartbeat: '20ms' });
  expect(await client.get('k')).toBe('v');
  await until('three heartbeats', () => seen[4].filter((name) => name === 'PING').length > 3);
  expect(await client.get('k')).toBe('v');
  expect(seen).toHaveLength(5);
  expect(client.stats()).toMatchObject({ losses: 0 });
});

test('a server that is away behind a balancer does not make its neighbour speak RESP2', async () => {
  const target = await RedisServer.start();
  closing.push(() => target.stop());
  let turn = 0;
  const balancer = net.createServer((socket) => {
    socket.on('error', () => {});
    if (turn++ % 2 === 0) {
      socket.once('data', () => socket.destroy());
      return;
    }
    const upstream = net.connect(target.port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  closing.push(() => balancer.close());
  const client = connect({ port: balancer.address().port });
  expect(await client.call('CLIENT', 'INFO')).toContain('resp=3');
});

test('a server that has no room is waited for, whatever it says to a PING', async () => {
  for (const options of [{ protocol: 2 }, {}]) {
    const full = ['-ERR Too many connections\r\n'];
    const { port } = await proxyWith({ HELLO: full, PING: full, CLIENT: full });
    const client = connect({ port, commandTimeout: '1s', ...options });
    let ready = 0;
    client.on('ready', () => ready++);
    const error = await rejection(client.get('k'));
    expect(error).toMatchObject({ code: 'COMMAND_TIMEOUT' });
    expect(error.message).toContain('Too many connections');
    expect(ready).toBe(0);
  }
});

test('protocol: 2 says neither HELLO nor CLIENT', async () => {
  const { port, seen } = await proxyWith({ HELLO: null, CLIENT: null });
  expect(await connect({ port, protocol: 2 }).get('k')).toBe('v');
  expect(await connect({ port, protocol: 2, password: 'p', db: 3 }).get('k')).toBe('v');
  expect(seen).toEqual([
    ['PING', 'GET'],
    ['AUTH', 'SELECT', 'PING', 'GET'],
  ]);
});

test('a cache is of use behind such a proxy', async () => {
  const { port } = await proxyWith({ HELLO: null, GET: '$-1\r\n' });
  const cache = createCache({ redis: { port, commandTimeout: '5s' } });
  closing.push(() => cache.close());
  expect(await cache.get('k')).toBeUndefined();
  expect((await cache.health()).redis).toBe('ok');
});

test('an answer that means something else is the reason of the failure', async () => {
  for (const [answer, options, shown] of [
    ['-NOAUTH HELLO must be called with the client already authenticated\r\n', {}],
    ['-WRONGPASS invalid username-password pair or user is disabled.\r\n', { password: 'secret' }],
    ['-DENIED: HELLO 3 AUTH default secret\r\n', { password: 'secret' }, 'DENIED: HELLO 3 AUTH default ***'],
    ['-ERR max number of clients reached\r\n', {}],
    ['-LOADING Redis is loading the dataset in memory\r\n', {}],
  ]) {
    const { port } = await proxyWith({ HELLO: answer });
    const error = await rejection(connect({ port, commandTimeout: '500ms', ...options }).get('k'));
    expect(error.code).toBe('COMMAND_TIMEOUT');
    expect(error.message).toContain(shown ?? answer.slice(1, -2));
    expect(error.message).not.toContain('secret');
    expect(error.cause).toMatchObject({ code: 'CONNECT_FAILED' });
  }
});
