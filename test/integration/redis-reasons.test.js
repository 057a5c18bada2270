'use strict';
// Why there is no connection: every reason names the server, once, and never a password.

const http = require('node:http');
const net = require('node:net');
const { createCache, createRedis } = require('../../lib');
const { RedisServer, freePort } = require('../helpers/redis-server');
const { nextEvent } = require('../helpers/until');

const HINTS = {
  http: 'Protocol error, got "H" as reply type byte (the server speaks HTTP)',
  alert: 'Protocol error, got "\\x15" as reply type byte (the server speaks TLS: set the option tls, or use rediss://)',
  silent: 'no connection within the connect timeout (the server takes the connection and says nothing)',
  password: 'no connection within the connect timeout (the password has not come)',
  tlsSilent: 'no connection within the connect timeout (the TLS handshake was not answered: is it a TLS port?)',
};
const SAYS_NOTHING = 'closed by the server (it said nothing; a server that wants TLS does so)';

let server;
let refusing;
const listeners = {};

async function listen(listener) {
  listener.listen(0, '127.0.0.1');
  await nextEvent(listener, 'listening');
  return listener;
}
/** A server that does this to the first bytes of each connection. */
const answering = (answer) =>
  listen(net.createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket))));

beforeAll(async () => {
  server = await RedisServer.start({ args: ['--requirepass', 'right'] });
  refusing = await freePort();
  listeners.http = await listen(http.createServer((_request, response) => response.end()));
  listeners.silent = await answering(() => {});
  listeners.closing = await answering((socket) => socket.end());
  listeners.alert = await answering((socket) => socket.end('\x15\x03\x01\x00\x02\x02\x46', 'latin1'));
});
afterAll(async () => {
  for (const listener of Object.values(listeners)) listener.close();
  await server.stop();
});

/** The first error of a client with these options, and what a command and ready() say of it. */
async function reasonsOf(options) {
  const client = createRedis({ host: '127.0.0.1', connectTimeout: '150ms', commandTimeout: '400ms', ...options });
  try {
    const [command, ready, [error]] = await Promise.all([
      client.get('k').catch(({ message }) => message),
      client.ready().catch(({ message }) => message),
      nextEvent(client, 'error'),
    ]);
    return { error: error.message, command, ready };
  } finally {
    client.destroy();
  }
}

const at = (name) => ({ port: listeners[name].address().port });
const placeAt = (name) => `127.0.0.1:${listeners[name].address().port}`;
const here = () => `127.0.0.1:${server.port}`;

test.each([
  ['no password', () => ({ url: server.url }), here, /^HERE: HELLO was refused: NOAUTH/],
  ['a wrong one', () => ({ url: server.url, password: 'hunter2' }), here, /^HERE: HELLO was refused: WRONGPASS/],
  ['one in RESP2', () => ({ url: server.url, password: 'hunter2', protocol: 2 }), here, /^HERE: AUTH was .*: WRONGPASS/],
  ['a Unix socket', () => ({ path: server.socketPath }), () => server.socketPath, /^HERE: HELLO was refused: NOAUTH/],
  ['no database', () => ({ url: server.url, password: 'right', db: 99 }), here, /^HERE: SELECT was refused: ERR DB/],
  ['no such socket', () => ({ path: '/nonexistent/s' }), () => '/nonexistent/s', /^cannot connect to HERE: no such file/],
  ['nobody listens', () => ({ port: refusing }), () => `127.0.0.1:${refusing}`, 'cannot connect to HERE: connection refused'],
  ['nobody at ::1', () => ({ host: '::1', port: refusing }), () => `[::1]:${refusing}`, /^cannot connect to HERE: /],
  ['no such name', () => ({ host: 'no.invalid' }), () => 'no.invalid:6379', /^cannot resolve HERE: /],
  ['HTTP', () => at('http'), () => placeAt('http'), `HERE: ${HINTS.http}`],
  ['an alert of TLS', () => at('alert'), () => placeAt('alert'), `HERE: ${HINTS.alert}`],
  ['silence', () => at('silent'), () => placeAt('silent'), `HERE: ${HINTS.silent}`],
  ['an end', () => at('closing'), () => placeAt('closing'), `connection to HERE lost: ${SAYS_NOTHING}`],
  ['no answer to a password', () => ({ ...at('silent'), password: () => new Promise(() => {}) }), () => placeAt('silent'), `HERE: ${HINTS.password}`],
  ['TLS, nobody listens', () => ({ port: refusing, tls: true }), () => `127.0.0.1:${refusing}`, 'TLS to HERE: connection refused'],
  ['TLS, by name', () => ({ host: 'localhost', port: refusing, tls: true }), () => `localhost:${refusing}`, 'TLS to HERE: connection refused'],
  ['TLS, no such name', () => ({ host: 'no.invalid', tls: true }), () => 'no.invalid:6379', /^TLS to HERE: cannot resolve the name: /],
  ['TLS, silence', () => ({ ...at('silent'), tls: true }), () => placeAt('silent'), `TLS to HERE: ${HINTS.tlsSilent}`],
  ['TLS to plain text', () => ({ ...at('http'), tls: true }), () => placeAt('http'), 'TLS to HERE: the server does not speak TLS: is it a TLS port?'],
])('%s', async (_name, options, place, expected) => {
  const { error, command, ready } = await reasonsOf(options());
  if (typeof expected === 'string') expect(error).toBe(expected.replace('HERE', place()));
  else expect(error.replace(place(), 'HERE')).toMatch(expected);
  for (const said of [error, command, ready]) {
    expect(said.split(place())).toHaveLength(2);
    expect(said).not.toMatch(/hunter2|right/);
  }
  expect(command).toMatch(/^GET: no connection within the command timeout: /);
  expect(ready).toContain('no connection within the connect timeout');
}); // prettier-ignore

// A command may give up before the first attempt to connect does.
test.each([
  ['takes the connection', () => ({}), 'HERE: the server takes the connection and says nothing'],
  ['does so for TLS', () => ({ tls: true }), 'TLS to HERE: the TLS handshake was not answered: is it a TLS port?'],
])('the reason of a command before that: one that %s', async (_name, options, expected) => {
  const place = placeAt('silent');
  const reason = expected.replace('HERE', place);
  const client = createRedis({ host: '127.0.0.1', ...at('silent'), ...options(), commandTimeout: '300ms' });
  const cache = createCache({ redis: client });
  try {
    await expect(client.get('k')).rejects.toMatchObject({
      code: 'COMMAND_TIMEOUT',
      message: `GET: no connection within the command timeout: ${reason}`,
    });
    expect(await cache.health()).toMatchObject({ redis: 'connecting', reason: `no connection yet: ${reason}` });
  } finally {
    await cache.close();
    client.destroy();
  }
});
