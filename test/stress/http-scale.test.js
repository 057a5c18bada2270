'use strict';
// 2,000 clients on one cold, slow, streaming route: one run of the handler, bounded memory, and nobody is slowed down or
// cut off by the client next to them. The server has a process of its own.
const net = require('node:net');
const { endAgents } = require('../helpers/agents');
const { request } = require('../helpers/http');
const { together } = require('../helpers/http-together');
const { SiteProcess } = require('../helpers/http-process');
const { delay, until } = require('../helpers/until');

const CLIENTS = 2000;
const BODY = 512 * 1024;
const HANDLER_MS = 1600;

/** @type {Set<net.Socket>} */
const sockets = new Set();
afterEach(async () => {
  // Also when the test has failed: they would keep the process.
  for (const socket of sockets) socket.destroy();
  await endAgents();
});

/** Half a megabyte, or 16, in sixteen pieces, over 1.6 seconds, as fast as its client takes it. */
function slowStream(req, res, _run, load) {
  const { Readable } = load('node:stream');
  res.writeHead(200, { 'Cache-Control': 'public, max-age=60', 'Content-Type': 'text/plain' });
  res.flushHeaders();
  const pieces = async function* pieces() {
    for (let piece = 0; piece < 16; piece++) {
      if (req.url !== '/warm-up') await new Promise((resolve) => setTimeout(resolve, 100));
      // More than sockets hold, where it matters that somebody does not read.
      yield Buffer.alloc(req.url === '/slow' ? 32 * 1024 : 1024 * 1024, 97 + piece);
    }
  };
  Readable.from(pieces(), { objectMode: false }).pipe(res);
}

/**
 * A client with a socket of its own, which does with the answer as `read` says.
 * @param {number} port
 * @param {string} path
 * @param {'all' | 'leaves' | 'byte by byte'} kind
 */
function client(port, path, kind) {
  const seen = { kind, bytes: 0, whole: false, closed: false, at: 0, status: '' };
  const socket = net.connect(port, '127.0.0.1');
  sockets.add(socket);
  let tail = '';
  /** @type {number | undefined} */
  let end;
  socket.write(`GET ${path} HTTP/1.1\r\nHost: site.example\r\n\r\n`);
  const take = (/** @type {Buffer} */ chunk) => {
    if (seen.bytes === 0) {
      const head = chunk.toString('latin1').split('\r\n\r\n', 1)[0];
      seen.status = head.slice(9, 12);
      // Who comes when it is over is answered by what is stored, which has a length.
      const length = /^Content-Length: (\d+)$/im.exec(head);
      if (length !== null) end = head.length + 4 + Number(length[1]);
    }
    seen.bytes += chunk.length;
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5);
    if (end === undefined ? tail !== '0\r\n\r\n' : seen.bytes < end) return;
    seen.whole = true;
    seen.at = performance.now();
    if (kind === 'all') socket.destroy();
  };
  if (kind === 'byte by byte') {
    // Nothing flows: one byte is taken each second.
    socket.pause();
    const timer = setInterval(() => {
      const byte = socket.read(1);
      if (byte) take(byte);
    }, 1000);
    socket.on('readable', () => {});
    socket.on('close', () => clearInterval(timer));
  } else socket.on('data', take);
  if (kind === 'leaves') setTimeout(() => socket.destroy(), 200 + Math.random() * HANDLER_MS);
  socket.on('error', () => {});
  socket.on('close', () => {
    seen.closed = true;
    sockets.delete(socket);
  });
  return Object.assign(seen, { socket });
}

const MOUNTS = ['in front', 'as middleware'];

test.each(MOUNTS)(
  '2,000 clients at once: %s',
  async (mount) => {
    const site = await SiteProcess.start(mount, {}, slowStream);
    await request(site, '/warm-up');
    await site.settled();
    const began = performance.now();
    // The very first, who leads, among those who leave, and another among those who hardly read.
    const kindOf = (/** @type {number} */ at) => (at % 100 === 0 ? 'leaves' : at % 100 === 1 ? 'byte by byte' : 'all');
    const clients = [];
    for (let at = 0; at < CLIENTS; at++) {
      clients.push(client(site.port, '/slow', kindOf(at)));
      if (at % 200 === 0) await delay(1);
    }
    const connected = performance.now();
    const readers = clients.filter(({ kind }) => kind === 'all');
    const late = () => readers.filter(({ whole, closed }) => !whole && !closed).map(({ bytes }) => bytes);
    // Behind somebody who reads a byte a second it would take days.
    await until('everyone has the whole', () => late().length === 0).catch(() => {});
    expect(late()).toEqual([]);
    const took = Math.max(...readers.map(({ at }) => at)) - connected;
    const { before, peak, growth } = await site.growth();
    process.stdout.write(
      `2,000 clients, ${mount}: handler ${HANDLER_MS} ms, all but the slow within ${Math.round(took)} ms of the last ` +
        `(${Math.round(connected - began)} ms to connect them); RSS ${before} MiB before, ${peak} MiB at most, +${growth} MiB\n`,
    );
    expect(await site.runs()).toBe(2);
    expect(readers.filter(({ whole, status }) => !whole || status !== '200')).toEqual([]);
    for (const { bytes } of readers) expect(bytes).toBeGreaterThan(BODY);
    expect(growth).toBeLessThan(100);
    // Those who hardly read are still being served.
    const slow = clients.filter(({ kind }) => kind === 'byte by byte');
    expect(slow.filter(({ closed }) => closed)).toEqual([]);
    for (const { socket } of clients) socket.destroy();
    expect((await request(site, '/slow', { headers: { host: 'site.example' } })).cacheStatus).toContain('; hit');
    expect(await site.runs()).toBe(2);
  },
  120_000,
);

test('a leader that reads one byte a second, and a leader that leaves: the others notice nothing', () =>
  together(MOUNTS, async (mount) => {
    const site = await SiteProcess.start(mount, { maxBodyBytes: '32mb' }, slowStream);
    await request(site, '/warm-up');
    const kinds = /** @type {const} */ (['byte by byte', 'leaves']);
    const leaders = kinds.map((kind) => client(site.port, `/${kind.replaceAll(' ', '-')}`, kind));
    await until('they lead', async () => (await site.runs()) === 3);
    const others = kinds.flatMap((kind) =>
      Array.from({ length: 5 }, () => client(site.port, `/${kind.replaceAll(' ', '-')}`, 'all')),
    );
    await until('everyone has the whole', () => others.every(({ whole, closed }) => whole || closed));
    expect(others.filter(({ whole }) => !whole)).toEqual([]);
    expect(await site.runs()).toBe(3);
    for (const { socket } of leaders) socket.destroy();
  }));

test('a body that is too large to be kept: who reads slower gets it whole, too, and little is held for them', () =>
  together(MOUNTS, async (mount) => {
    const site = await SiteProcess.start(mount, {}, largeStream);
    await request(site, '/warm-up');
    await site.settled();
    const leader = client(site.port, '/large', 'all');
    await until('it leads', async () => (await site.runs()) === 2);
    const slower = [client(site.port, '/large', 'all'), client(site.port, '/large', 'all')];
    for (const { socket } of slower) {
      socket.on('data', () => {
        socket.pause();
        setTimeout(() => socket.resume(), 4);
      });
    }
    await until(
      'everyone has the whole',
      () => [leader, ...slower].every(({ whole, closed }) => whole || closed),
      40_000,
    );
    for (const { whole, bytes } of [leader, ...slower]) expect([whole, bytes > 20 * 1024 * 1024]).toEqual([true, true]);
    expect(await site.runs()).toBe(2);
    expect((await site.growth()).growth).toBeLessThan(64);
  }));

/** 20 MiB, whose length nobody says beforehand; the first of them slowly, so that others can join. */
function largeStream(req, res, _run, load) {
  const { Readable } = load('node:stream');
  res.setHeader('Cache-Control', 'public, max-age=60');
  const pieces = async function* pieces() {
    for (let piece = 0; piece < 321; piece++) {
      if (piece < 10) await new Promise((resolve) => setTimeout(resolve, 30));
      yield Buffer.alloc(65_536, 'x');
    }
  };
  Readable.from(pieces(), { objectMode: false }).pipe(res);
}
