'use strict';
// Servers and proxies that do not know HELLO, each with its own words, and those that end a connection that says it.
const net = require('node:net');

const { createCache, createRedis } = require('../../lib');
const { rejection } = require('../helpers/until');

/** Every command of a burst, by its name. */
const namesOf = (bytes) => [...bytes.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name.toUpperCase());

let closing = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

/**
 * @param {Record<string, string | null>} answers of commands; null closes the connection, what is not listed is OK
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
      for (const name of namesOf(String(data))) {
        commands.push(name);
        const answer = name in answers ? answers[name] : name === 'GET' ? '$1\r\nv\r\n' : '+OK\r\n';
        if (answer === null) return socket.destroy();
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
  expect(seen.map((commands) => commands[0])).toEqual(['HELLO', 'PING', 'HELLO', 'PING']);
  expect(seen[3]).toEqual(['PING', 'GET']);
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
  for (const [answer, options] of [
    ['-NOAUTH HELLO must be called with the client already authenticated\r\n', {}],
    ['-WRONGPASS invalid username-password pair or user is disabled.\r\n', { password: 'secret' }],
    ['-ERR max number of clients reached\r\n', {}],
    ['-LOADING Redis is loading the dataset in memory\r\n', {}],
  ]) {
    const { port } = await proxyWith({ HELLO: answer });
    const error = await rejection(connect({ port, commandTimeout: '200ms', ...options }).get('k'));
    expect(error.code).toBe('COMMAND_TIMEOUT');
    expect(error.message).toContain(answer.slice(1, -2));
    expect(error.message).not.toContain('secret');
    expect(error.cause).toMatchObject({ code: 'CONNECT_FAILED' });
  }
});
