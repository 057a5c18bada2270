'use strict';
// Hazard: memory. URLs made up to break the cache, bodies of a gigabyte, readers that stop; in a process of its own.
const net = require('node:net');
const { endAgents } = require('../helpers/agents');
const { request } = require('../helpers/http');
const { together } = require('../helpers/http-together');
const { SiteProcess } = require('../helpers/http-process');
const { delay, until } = require('../helpers/until');

const MEBI = 1024 * 1024;

afterEach(endAgents);

/** A client that counts what it reads, and reads no more when told. */
function reader(port, path) {
  const read = { bytes: 0, closed: false, socket: net.connect(port, '127.0.0.1'), tail: '' };
  read.socket.write(`GET ${path} HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n`);
  read.socket.on('data', (chunk) => {
    read.bytes += chunk.length;
    read.tail = chunk.subarray(-7).toString('latin1');
  });
  read.socket.on('error', () => {});
  read.socket.on('close', () => (read.closed = true));
  return read;
}

/** A body as large as its path says, made as it is read. */
function generated(req, res, _run, load) {
  const { Readable } = load('node:stream');
  const [, kind, size] = req.url.split('/');
  res.setHeader('Cache-Control', 'public, max-age=60');
  if (kind === 'length') res.setHeader('Content-Length', size);
  const block = Buffer.alloc(65_536, 'x');
  Readable.from(
    (function* blocks() {
      for (let left = Number(size); left > 0; left -= block.length) {
        yield block.subarray(0, Math.min(left, block.length));
      }
    })(),
    { objectMode: false },
  ).pipe(res);
}

const MOUNTS = ['in front', 'as middleware'];

test.each(MOUNTS.flatMap((mount) => ['length', 'chunked'].map((kind) => [mount, kind])))(
  'a body of 1 GiB passes at constant memory: %s, %s',
  async (mount, kind) => {
    const site = await SiteProcess.start(mount, {}, generated);
    await request(site, '/length/1000');
    await site.settled();
    const size = 1024 * MEBI;
    const began = performance.now();
    const read = reader(site.port, `/${kind}/${size}`);
    await until('its end', () => read.closed, 180_000);
    const { growth, peak } = await site.growth();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`1 GiB, ${mount}, ${kind}: ${seconds} s, RSS +${growth} MiB, at most ${peak} MiB\n`);
    expect(read.bytes).toBeGreaterThan(size);
    if (kind === 'chunked') expect(read.tail).toBe('\r\n0\r\n\r\n');
    expect(growth).toBeLessThan(64);
    expect((await request(site, `/${kind}/${size}`, { method: 'HEAD' })).cacheStatus).toBe('tiercel; fwd=uri-miss');
  },
  240_000,
);

test('nor does it grow when its readers stop in the middle', () =>
  together(MOUNTS, async (mount) => {
    const site = await SiteProcess.start(mount, {}, generated);
    await request(site, '/length/1000');
    await site.settled();
    const path = `/chunked/${1024 * MEBI}`;
    const readers = Array.from({ length: 4 }, () => reader(site.port, path));
    await until('some of it', () => readers.every(({ bytes }) => bytes > 65_536));
    for (const { socket } of readers) socket.pause();
    await delay(1000);
    const { growth } = await site.growth();
    expect(growth).toBeLessThan(64);
    for (const { socket } of readers) socket.destroy();
  }));

// Behind Express alone, which takes more: what bounds it is the memory tier, whichever way the cache is mounted.
test('20,000 URLs that nobody asks for again: bounded, and the site goes on', async () => {
  const cache = { redis: false, memory: { maxBytes: '16mb' } };
  const site = await SiteProcess.start(
    'as middleware',
    {},
    (req, res) => {
      res.setHeader('Cache-Control', 'max-age=600');
      res.end(req.url.padEnd(8192, 'x'));
    },
    cache,
  );
  const ask = (count, prefix) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(site.port, '127.0.0.1', () => {
        for (let at = 1; at <= count; at++) {
          socket.write(
            `GET /${prefix}?${at} HTTP/1.1\r\nHost: a\r\n${at === count ? 'Connection: close\r\n' : ''}\r\n`,
          );
        }
      });
      socket.resume().on('error', reject).on('close', resolve);
    });
  // What Node itself takes for so many requests is not what this is about.
  for (let round = 0; round < 80; round++) await ask(50, `warm${round}`);
  await site.settled();
  for (let round = 0; round < 400; round++) await ask(50, `cold${round}`);
  const { growth, peak } = await site.growth();
  process.stdout.write(`20,000 URLs: RSS +${growth} MiB, at most ${peak} MiB\n`);
  // 160 MiB have passed.
  expect(growth).toBeLessThan(60);
  expect(await site.runs()).toBe(24_000);
  expect((await request(site, '/after')).status).toBe(200);
}, 180_000);
