'use strict';
// TLS: Node's sockets carry the bytes of the native protocol engine. Certificates are made here, and live as long as the
// tests.

const { execFileSync } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createCache, createRedis } = require('../../lib');
const { RedisServer, freePort, servers } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { REPLIES, turnsBetweenReplies } = require('../helpers/slices');
const { nextEvent, rejection, until } = require('../helpers/until');

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tiercel-tls-'));
const file = (name) => path.join(directory, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch'];

function makeCa(name) {
  openssl('req', '-x509', ...EC, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
}

function makeCertificate(name, ca, san) {
  openssl('req', ...EC, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  fs.writeFileSync(file(`${name}.ext`), san === undefined ? '' : `subjectAltName=${san}\n`);
  const signing = ['-CA', `${ca}.crt`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', '2', '-out', `${name}.crt`);
}

const read = (name) => fs.readFileSync(file(name));
const trusted = {};

/** A server that also listens for TLS: its port is `tlsPort`. */
async function startTls(kind, { certificate = 'server', clients = 'no' } = {}) {
  const tlsPort = await freePort();
  const files = ['--tls-cert-file', file(`${certificate}.crt`), '--tls-key-file', file(`${certificate}.key`)];
  const args = ['--tls-port', String(tlsPort), ...files, '--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', clients]; // prettier-ignore
  const server = await RedisServer.start({ program: kind.program, args });
  return { server, tlsPort, url: `rediss://127.0.0.1:${tlsPort}` };
}

/** Whether this program can do TLS at all: that is decided when it is compiled. */
function hasTls({ program }) {
  try {
    execFileSync(program, ['--port', '0', '--tls-port', '1', '--tls-cert-file', '/nonexistent', '--save', ''], {
      cwd: directory,
      encoding: 'utf8',
      timeout: 5000,
    });
  } catch (error) {
    return !/Bad directive/i.test(`${error.stdout}${error.stderr}`);
  }
  return true;
}

const KINDS = servers()
  .filter((kind) => hasTls(kind) || process.stderr.write(`${kind.name} is without TLS: its tests are left out\n`) === 0)
  .map((kind) => [kind.name, kind]);

beforeAll(() => {
  makeCa('ca');
  makeCa('other-ca');
  makeCertificate('server', 'ca', 'DNS:localhost,IP:127.0.0.1');
  makeCertificate('elsewhere', 'ca', 'DNS:elsewhere.example');
  makeCertificate('client', 'ca');
  makeCertificate('stranger', 'other-ca');
  trusted.ca = read('ca.crt');
});
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

test('a server with TLS is there', () => {
  expect(KINDS.length).toBeGreaterThan(0);
});

describe.each(KINDS)('%s', (_name, kind) => {
  let secure;
  let clients = [];
  const connect = (options = {}) => {
    const client = createRedis({ url: secure.url, ...options, tls: { ca: trusted.ca, ...options.tls } });
    clients.push(client);
    return client;
  };
  /** What a client says when it cannot connect; it must go on trying. */
  const refusalOf = async (client, code = 'CONNECT_FAILED') => {
    const began = performance.now();
    const [error] = await nextEvent(client, 'error');
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(error).toMatchObject({ name: 'RedisError', code });
    await nextEvent(client, 'reconnecting');
    const [{ attempt }] = await nextEvent(client, 'reconnecting');
    expect(attempt).toBeGreaterThan(1);
    expect(client.status).toBe('reconnecting');
    return error;
  };

  beforeAll(async () => {
    secure = await startTls(kind);
  });
  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
  });
  afterAll(() => secure.server.stop());

  test('by URL, by name and by address, and with a servername', async () => {
    expect(await connect().ping()).toBe('PONG');
    expect(await connect({ url: `rediss://localhost:${secure.tlsPort}/2` }).ping()).toBe('PONG');
    expect(await connect({ tls: { servername: 'localhost' } }).ping()).toBe('PONG');
    const client = connect({ url: undefined, host: '127.0.0.1', port: secure.tlsPort, db: 3, clientName: 'secret' });
    expect(await client.call('CLIENT', 'LIST')).toMatch(/name=secret.* db=3 /);
    const trusting = createRedis({ url: secure.url, tls: { rejectUnauthorized: false } });
    clients.push(trusting);
    expect(await trusting.ping()).toBe('PONG');
  });

  test('a certificate of an authority that is not known is refused', async () => {
    const error = await refusalOf(connect({ tls: { ca: read('other-ca.crt') } }));
    expect(error.message).toMatch(new RegExp(`TLS to 127\\.0\\.0\\.1:${secure.tlsPort}: .*(certificate|issuer)`));
    const byDefault = createRedis(secure.url);
    clients.push(byDefault);
    await refusalOf(byDefault);
  });

  test('commands to a server that is not trusted end with their timeout', async () => {
    const client = connect({ tls: { ca: read('other-ca.crt') }, commandTimeout: '150ms' });
    expect(await rejection(client.get('k'))).toMatchObject({ code: 'COMMAND_TIMEOUT' });
    await client.close();
  });

  test('the certificate of another host is refused', async () => {
    const other = await startTls(kind, { certificate: 'elsewhere' });
    try {
      const error = await refusalOf(connect({ url: other.url }));
      expect(error.message).toMatch(/does not match certificate/);
      expect(await connect({ url: other.url, tls: { servername: 'elsewhere.example' } }).ping()).toBe('PONG');
    } finally {
      await other.server.stop();
    }
  });

  test('both sides show certificates', async () => {
    const mutual = await startTls(kind, { clients: 'yes' });
    try {
      const key = (name) => ({ cert: read(`${name}.crt`), key: read(`${name}.key`) });
      const client = connect({ url: mutual.url, tls: key('client') });
      expect(await client.set('k', 'mutual')).toBe('OK');
      // In TLS 1.3 the server looks at the client's certificate when the client already thinks that it is connected.
      const error = await refusalOf(connect({ url: mutual.url }), 'CONNECTION_LOST');
      expect(error.message).toMatch(/TLS to .*certificate required/);
      await refusalOf(connect({ url: mutual.url, tls: key('stranger') }), 'CONNECTION_LOST');
      expect(await client.get('k')).toBe('mutual');
    } finally {
      await mutual.server.stop();
    }
  });

  test('20 MB there and back', async () => {
    const client = connect({ commandTimeout: '20s' });
    const bytes = randomBytes(20 << 20);
    const [stored, value, ping] = await Promise.all([
      client.set('big', bytes),
      client.buffers.get('big'),
      client.ping(),
    ]);
    expect([stored, ping]).toEqual(['OK', 'PONG']);
    expect(value.equals(bytes)).toBe(true);
    await client.del('big');
  });

  test('replies that came together are taken in slices', async () => {
    expect(await turnsBetweenReplies(connect())).toBeGreaterThan(REPLIES / 2);
  });

  test('5,000 commands of one tick', async () => {
    const client = connect();
    const pipeline = client.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.echo(`${i} ${'x'.repeat(i % 300)}`);
    const values = await pipeline.exec();
    expect(values.every((value, i) => value === `${i} ${'x'.repeat(i % 300)}`)).toBe(true);
  });

  test('subscriptions are secure, too', async () => {
    const client = connect();
    const got = [];
    await client.subscribe('c', (message) => got.push(message));
    await client.publish('c', 'hello');
    await until('the message', () => got.length === 1);
    expect(await client.call('CLIENT', 'LIST')).toMatch(/cmd=subscribe/);
  });

  test('a server without TLS behind the port is an error', async () => {
    const error = await refusalOf(connect({ url: `rediss://127.0.0.1:${secure.server.port}`, connectTimeout: '1s' }));
    expect(error.message).toBe(
      `TLS to 127.0.0.1:${secure.server.port}: no connection within the connect timeout ` +
        '(the TLS handshake was not answered: is it a TLS port?)',
    );
  });

  test('and so is TLS where none is expected', async () => {
    const client = createRedis({ port: secure.tlsPort, connectTimeout: '1s' });
    clients.push(client);
    const { message } = await refusalOf(client, 'CONNECTION_LOST');
    expect(message).toMatch(
      new RegExp(
        `^connection to 127\\.0\\.0\\.1:${secure.tlsPort} lost: .* \\(it said nothing; a server that wants TLS`,
      ),
    );
  });

  test('nobody behind the port', async () => {
    const error = await refusalOf(connect({ url: `rediss://127.0.0.1:${await freePort()}` }));
    expect(error.message).toContain('connection refused');
  });

  test('close() waits for what is due, destroy() does not', async () => {
    const client = connect();
    await client.ping();
    const answers = Array.from({ length: 100 }, (_, i) => client.echo(i));
    await client.close();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
    const other = connect();
    await other.ping();
    const lost = rejection(other.call('BLPOP', 'nothing', 0));
    other.destroy();
    expect(await lost).toMatchObject({ code: 'CLIENT_CLOSED' });
    const early = connect();
    early.destroy();
    expect(early.status).toBe('closed');
  });

  test('unref() lets the process end; close() too', async () => {
    const begin = `const client = tiercel.createRedis({ url: ${JSON.stringify(secure.url)},
      tls: { ca: require('node:fs').readFileSync(${JSON.stringify(file('ca.crt'))}) } });`;
    const [idle, early, closed, held] = await Promise.all([
      runScript(`${begin} console.log(await client.ping()); client.unref();`),
      runScript(`${begin} client.unref();`),
      runScript(`${begin} console.log(await client.ping()); await client.close();`),
      // A timer that holds nothing comes only if something else does.
      runScript(`${begin} client.unref(); client.ref(); console.log(await client.ping());
        setTimeout(() => (console.log('held'), client.close()), 100).unref();`),
    ]);
    expect(idle).toMatchObject({ code: 0, stdout: 'PONG', stderr: '' });
    expect(early).toMatchObject({ code: 0, stderr: '' });
    expect(closed).toMatchObject({ code: 0, stdout: 'PONG', stderr: '' });
    expect(held).toMatchObject({ code: 0, stdout: 'PONG\nheld', stderr: '' });
  });

  test('a cache whose memory hears of changes', async () => {
    const redis = { url: secure.url, tls: { ca: trusted.ca } };
    const [one, two] = [createCache({ redis }), createCache({ redis })];
    try {
      for (const cache of [one, two]) await until('ready', async () => (await cache.health()).redis === 'ok');
      await one.set('k', 'old');
      await until('k in memory', async () => {
        const before = two.stats().memoryHits;
        expect(await two.get('k')).toBe('old');
        return two.stats().memoryHits > before;
      });
      await one.set('k', 'new');
      await until('the push', async () => (await two.get('k')) === 'new');
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  // Last: it empties the server.
  test('a restart of the server', async () => {
    const client = connect();
    await client.set('k', 1);
    const lost = rejection(client.call('BLPOP', 'nothing', 0));
    await secure.server.restart();
    expect(await lost).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await client.get('k')).toBeNull();
    expect(client.stats()).toMatchObject({ losses: 1 });
  });
});
