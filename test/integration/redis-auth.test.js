'use strict';
// Who the client is, and where it connects to: users and passwords, which nobody else gets to see; databases, names,
// Unix sockets, IPv6, names with several addresses, the environment.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { inspect } = require('node:util');
const { createRedis } = require('../../lib');
const { version } = require('../../package.json');
const { RedisServer, servers } = require('../helpers/redis-server');
const { ROOT, runScript } = require('../helpers/run-script');
const { nextEvent, rejection, until } = require('../helpers/until');

const KINDS = servers().map((kind) => [kind.name, kind]);
const SECRET = 'hunter2-hunter2';

const listensOn = (host, port) =>
  new Promise((resolve) => {
    const probe = net.connect({ host, port });
    probe.once('connect', () => resolve(true) || probe.destroy());
    probe.once('error', () => resolve(false));
  });

const canListenOn = (host) =>
  new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(0, host, () => probe.close(() => resolve(true)));
  });

let clients = [];
const connect = (options) => {
  const client = createRedis(options);
  clients.push(client);
  return client;
};
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});

/** Everything that a client says to anybody, as text: filled while it lives. */
function listen(client) {
  const told = [];
  for (const name of ['connect', 'ready', 'close', 'error', 'reconnecting']) {
    client.on(name, (...details) => told.push([name, ...details]));
  }
  const show = (value) =>
    [inspect(value, { depth: 20, showHidden: true }), value?.stack, value?.message, JSON.stringify(value)].join('\n');
  return {
    told,
    async everything(...more) {
      const values = [...told.flat(), ...more, client.stats(), client];
      return [...values.map(show), String(client), JSON.stringify(client)].join('\n');
    },
  };
}

describe.each(KINDS)('%s', (_name, kind) => {
  describe.each([3, 2])('with a password, RESP%i', (protocol) => {
    let server;
    beforeAll(async () => {
      const hello = protocol === 2 ? ['--rename-command', 'HELLO', ''] : [];
      const users = [
        ['app', 'on', `>${SECRET}`, '~*', '&*', '+@all'],
        ['reader', 'on', `>${SECRET}`, '~open:*', '&news', '+@read', '+@connection', '+hello', '+subscribe'],
        ['off', 'off', `>${SECRET}`, '~*', '+@all'],
      ];
      const acl = users.flatMap((words) => ['--user', ...words]);
      server = await RedisServer.start({ program: kind.program, args: ['--requirepass', SECRET, ...acl, ...hello] });
    });
    afterAll(() => server.stop());

    test('by password alone, by user, in options and in URLs', async () => {
      const { port, url } = server;
      const who = (options) => connect(options).call('ACL', 'WHOAMI');
      expect(await who({ url, password: SECRET })).toBe('default');
      expect(await who({ url, username: 'default', password: SECRET })).toBe('default');
      expect(await who(`redis://:${SECRET}@127.0.0.1:${port}`)).toBe('default');
      expect(await who(`redis://app:${SECRET}@127.0.0.1:${port}/4`)).toBe('app');
      expect(await who({ url: `redis://app:wrong@127.0.0.1:${port}`, password: SECRET })).toBe('app');
      expect(await who({ url: server.unixUrl, username: 'app', password: SECRET })).toBe('app');
    });

    test('what a user may not do is an error of the command', async () => {
      const client = connect({ url: server.url, username: 'reader', password: SECRET });
      expect(await client.get('open:k')).toBeNull();
      expect(await rejection(client.get('closed'))).toMatchObject({ code: 'NOPERM', command: 'GET' });
      expect(await rejection(client.set('open:k', 1))).toMatchObject({ code: 'NOPERM', command: 'SET' });
      await client.subscribe('news', () => {});
      expect(await rejection(client.subscribe('gossip', () => {}))).toMatchObject({ code: 'NOPERM' });
      expect(client.status).toBe('ready');
    });

    test.each([
      ['app', 'wr0ng-hunter2', 'WRONGPASS'],
      ['nobody', SECRET, 'WRONGPASS'],
      ['off', SECRET, 'WRONGPASS'],
      ['', 'wr0ng-hunter2', 'WRONGPASS'],
    ])('refused: %j with %j', async (username, password, code) => {
      const client = connect({ url: server.url, username, password, commandTimeout: '150ms' });
      const { told, everything } = listen(client);
      const failed = await rejection(client.get('k'));
      expect(failed).toMatchObject({ code: 'COMMAND_TIMEOUT', command: 'GET' });
      await until('three attempts', () => told.filter(([name]) => name === 'reconnecting').length >= 3);
      const [, error] = told.find(([name]) => name === 'error');
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
      expect(error.message).toContain(code);
      expect(told.some(([name]) => name === 'ready')).toBe(false);
      expect(await everything(failed)).not.toContain('hunter2');
    });

    test('a password may be a function, which is asked for each connection', async () => {
      const asked = [];
      let password = async () => 'wr0ng-hunter2';
      const client = connect({
        url: server.url,
        username: () => 'app',
        password: () => (asked.push(1), password()),
        commandTimeout: '10s',
      });
      const { told, everything } = listen(client);
      const errors = () => told.filter(([name]) => name === 'error').map(([, error]) => error);
      const first = client.call('ACL', 'WHOAMI');
      await until('a refusal', () => errors().some(({ message }) => message.includes('WRONGPASS')));
      password = async () => {
        throw new Error('the vault is sealed');
      };
      await until('the error of the function', () =>
        errors().some(({ message }) => message.includes('the vault is sealed')),
      );
      password = () => 7;
      await until('what is no string', () => errors().some(({ message }) => message.includes('return a string')));
      expect(errors().map(({ code }) => code)).toEqual(errors().map(() => 'CONNECT_FAILED'));
      password = () => SECRET;
      expect(await first).toBe('app');
      const before = asked.length;
      const killer = connect({ url: server.url, password: SECRET });
      await killer.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      await until('a new connection', () => told.filter(([name]) => name === 'ready').length === 2);
      expect(asked.length).toBe(before + 1);
      expect(await client.ping()).toBe('PONG');
      expect(await everything()).not.toContain('hunter2');
    });

    test('a password that does not come is waited for as long as a connection is', async () => {
      const client = connect({ url: server.url, password: () => new Promise(() => {}), connectTimeout: '50ms' });
      const [error] = await nextEvent(client, 'error');
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
    });

    test('a client that was closed meanwhile wants no password any more', async () => {
      let give;
      const client = connect({ url: server.url, password: () => new Promise((resolve) => (give = resolve)) });
      await until('the question', () => give !== undefined);
      client.destroy();
      give(SECRET);
      expect(await rejection(client.ping())).toMatchObject({ code: 'CLIENT_CLOSED' });
    });

    test('a client that is connected shows its password nowhere', async () => {
      const url = `redis://app:${SECRET}@127.0.0.1:${server.port}`;
      const client = connect({ url, commandTimeout: '1s' });
      const { everything } = listen(client);
      await client.set('k', 'text');
      const errors = [await rejection(client.incr('k')), await rejection(client.set('k', {}))];
      await client.subscribe('c', () => {});
      const killer = connect(url);
      await killer.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      expect(await client.ping()).toBe('PONG');
      await client.close();
      errors.push(await rejection(client.ping()));
      expect(await everything(...errors)).not.toContain('hunter2');
    });

    test('no password where one is needed', async () => {
      const client = connect({ url: server.url, commandTimeout: '300ms' });
      if (protocol === 2 && kind.number >= 70000 && kind.number < 70200) {
        // It does not know CLIENT SETINFO, and says that first: nothing is refused before the first command.
        expect(await rejection(client.get('k'))).toMatchObject({ code: 'NOAUTH' });
        return;
      }
      const [error] = await nextEvent(client, 'error');
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
      expect(error.message).toContain('NOAUTH');
      expect(await rejection(client.get('k'))).toMatchObject({ code: 'COMMAND_TIMEOUT' });
    });

    test('a password that changes: the next connection is refused, then let in', async () => {
      const admin = connect({ url: server.url, password: SECRET });
      await admin.call('ACL', 'SETUSER', 'temp', 'reset', 'on', `>${SECRET}`, '~*', '&*', '+@all');
      const client = connect({ url: server.url, username: 'temp', password: SECRET });
      const { told } = listen(client);
      const id = await client.call('CLIENT', 'ID');
      await admin.call('ACL', 'SETUSER', 'temp', 'resetpass', '>other');
      await admin.call('CLIENT', 'KILL', 'ID', id);
      await until('the refusal', () =>
        told.some(([name, error]) => name === 'error' && /WRONGPASS/.test(error.message)),
      );
      await admin.call('ACL', 'SETUSER', 'temp', 'resetpass', `>${SECRET}`);
      expect(await client.ping()).toBe('PONG');
      await admin.call('ACL', 'DELUSER', 'temp');
    });
  });

  test('a server that repeats the arguments of AUTH in its error', async () => {
    const args = ['--rename-command', 'HELLO', '', '--rename-command', 'AUTH', ''];
    const server = await RedisServer.start({ program: kind.program, args });
    try {
      const client = connect({ url: server.url, username: 'app', password: SECRET, commandTimeout: '100ms' });
      const { told, everything } = listen(client);
      const failed = await rejection(client.get('k'));
      await until('an error', () => told.some(([name]) => name === 'error'));
      expect(told.find(([name]) => name === 'error')[1].message).toMatch(/AUTH was refused: ERR unknown command/);
      expect(await everything(failed)).not.toContain('hunter2');
    } finally {
      await server.stop();
    }
  });

  describe('without a password', () => {
    let server;
    let hasV6;
    beforeAll(async () => {
      hasV6 = await canListenOn('::1');
      server = await RedisServer.start({ program: kind.program });
    });
    afterAll(() => server.stop());

    test('the database stays chosen after a reconnect', async () => {
      const client = connect({ url: `${server.url}/7`, clientName: 'seven' });
      await client.set('k', 'seven');
      const other = connect(server.url);
      expect(await other.get('k')).toBeNull();
      await other.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      await nextEvent(client, 'ready');
      expect(await client.get('k')).toBe('seven');
      expect(await client.call('CLIENT', 'GETNAME')).toBe('seven');
      expect(await connect({ url: `${server.url}/7`, db: 8 }).get('k')).toBeNull();
    });

    test(
      kind.number >= 70200 ? 'CLIENT LIST shows the library and its version' : 'CLIENT LIST shows the name',
      async () => {
        const client = connect({ url: server.url, clientName: 'named' });
        const id = await client.call('CLIENT', 'ID');
        const list = await client.call('CLIENT', 'LIST', 'ID', id);
        expect(list).toContain('name=named');
        // What the server says instead, when it does not know the command, is no error of anybody's.
        if (kind.number >= 70200) expect(list).toContain(`lib-name=tiercel lib-ver=${version}`);
        expect(client.stats().errors).toBe(0);
      },
    );

    test('a Unix socket', async () => {
      const client = connect(`${server.unixUrl}?db=2`);
      expect(await client.set('k', 'unix')).toBe('OK');
      expect(await connect({ path: server.socketPath, db: 2 }).get('k')).toBe('unix');
      const [error] = await nextEvent(connect(`unix://${server.directory}/none.sock`), 'error');
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
      expect(error.message).toContain('none.sock');
    });

    test('IPv6', async () => {
      if (!hasV6) return void process.stderr.write('no IPv6 on the loopback: not tested\n');
      const six = await RedisServer.start({ program: kind.program, args: ['--bind', '::1'] });
      try {
        expect(await listensOn('127.0.0.1', six.port)).toBe(false);
        expect(await connect(`redis://[::1]:${six.port}/1`).ping()).toBe('PONG');
        expect(await connect({ host: '::1', port: six.port }).ping()).toBe('PONG');
        const [error] = await nextEvent(connect(`redis://[::1]:${server.port}`), 'error');
        expect(error.message).toContain(`[::1]:${server.port}`);
      } finally {
        await six.stop();
      }
    });

    test('createRedis() without arguments takes the environment', async () => {
      const script = `const client = tiercel.createRedis();
        console.log(await client.call('CLIENT', 'INFO'));
        await client.close();`;
      const { port } = server;
      const [byUrl, byParts, both] = await Promise.all(
        [
          { REDIS_URL: `${server.url}/3` },
          { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port), REDIS_DB: '4' },
          { REDIS_URL: `redis://localhost:${port}/5`, REDIS_HOST: 'no-such-host.invalid', REDIS_DB: '6' },
        ].map((env) => runScript(script, { env })),
      );
      expect([byUrl, byParts, both].map(({ code, stderr }) => [code, stderr])).toEqual([[0, ''], [0, ''], [0, '']]); // prettier-ignore
      expect([byUrl, byParts, both].map(({ stdout }) => / db=(\d) /.exec(stdout)?.[1])).toEqual(['3', '4', '5']);
      const bad = await runScript(`try { tiercel.createRedis(); } catch (error) { console.log(error.message); }`, {
        env: { REDIS_URL: `http://user:${SECRET}@127.0.0.1` },
      });
      expect(bad.stdout).toContain('REDIS_URL');
      expect(bad.stdout).not.toContain('hunter2');
    });

    test('REDIS_PASSWORD', async () => {
      const admin = connect(server.url);
      await admin.call('CONFIG', 'SET', 'requirepass', SECRET);
      const ran = await runScript(
        `const client = tiercel.createRedis(); console.log(await client.ping()); await client.close();`,
        { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(server.port), REDIS_PASSWORD: SECRET } },
      );
      await admin.call('CONFIG', 'SET', 'requirepass', '');
      expect(ran).toMatchObject({ code: 0, stdout: 'PONG', stderr: '' });
    });
  });
});

// Whatever the machine's own resolver says: in a mount namespace with another /etc/hosts, where that is allowed.
test('localhost that resolves to ::1 first, while the server listens on 127.0.0.1 alone', async () => {
  const server = await RedisServer.start();
  try {
    expect(await listensOn('::1', server.port)).toBe(false);
    const client = connect({ host: 'localhost', port: server.port });
    expect(await client.ping()).toBe('PONG');
    expect(client.stats().connects).toBe(1);

    const hosts = path.join(server.directory, 'hosts');
    fs.writeFileSync(hosts, '::1 localhost\n127.0.0.1 localhost\n');
    const script = `
      const addresses = await require('node:dns/promises').lookup('localhost', { all: true, verbatim: true });
      const client = tiercel.createRedis({ host: 'localhost', port: ${server.port} });
      client.on('error', (error) => console.log(error.message));
      console.log(addresses.map(({ address }) => address).join(), await client.ping(), client.stats().connects);
      await client.close();`;
    const whole = `const tiercel = require(${JSON.stringify(ROOT)});(async () => {${script}\n})();`;
    const mounted = 'mount --bind "$1" /etc/hosts || exit 99; exec "$2" -e "$3"';
    const ran = spawnSync('unshare', ['-m', 'sh', '-c', mounted, 'sh', hosts, process.execPath, whole], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    if (ran.error !== undefined || ran.status === 99 || /unshare/.test(ran.stderr)) {
      process.stderr.write('no mount namespace for another /etc/hosts: localhost as ::1 first is not tested\n');
      return;
    }
    expect(ran.stderr).toBe('');
    expect(ran.stdout.trim()).toBe('::1,127.0.0.1 PONG 1');
  } finally {
    await server.stop();
  }
});
