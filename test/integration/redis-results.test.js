'use strict';
// Replies that no JavaScript value can hold: the command is rejected, the connection stays, and whatever stands behind it
// is answered.
const { constants } = require('node:buffer');
const net = require('node:net');
const { createRedis } = require('../../lib');
const { rejection } = require('../helpers/until');

/** A server that answers GET with the next of `replies` (pieces of RESP), and all else as a Redis without HELLO does. */
async function replyingServer(replies) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let buffered = '';
    let writing = Promise.resolve();
    const write = (piece) => new Promise((resolve) => socket.write(piece, resolve));
    socket.on('error', () => {});
    socket.on('data', (data) => {
      buffered += data.toString('latin1');
      for (;;) {
        const command = /^\*(\d+)\r\n(?:\$\d+\r\n[^\r]*\r\n)+?(?=\*|$)/.exec(buffered);
        if (command === null) return;
        buffered = buffered.slice(command[0].length);
        const words = command[0].split('\r\n').filter((_, i) => i > 0 && i % 2 === 0);
        writing = writing.then(async () => {
          if (words[0] === 'HELLO') return write('%1\r\n$6\r\nserver\r\n$4\r\nfake\r\n');
          if (words[0] !== 'GET') return write(words.length > 1 && words[0] === 'PING' ? `$${words[1].length}\r\n${words[1]}\r\n` : '+OK\r\n'); // prettier-ignore
          for (const piece of replies.shift()()) await write(piece);
          return undefined;
        });
      }
    });
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: server.address().port,
    connections: () => sockets.size,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const CHUNK = Buffer.alloc(1 << 20, 'x');

/** A bulk string of so many bytes. */
function* bulk(length) {
  yield `$${length}\r\n`;
  for (let left = length; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
  yield '\r\n';
}

/** An aggregate of so many different integers. */
function* integers(head, count) {
  yield head;
  for (let i = 0; i < count;) {
    let text = '';
    for (const end = Math.min(count, i + 100_000); i < end; i++) text += `:${i}\r\n`;
    yield text;
  }
}

const TOO_LARGE = { name: 'RedisError', code: 'RESULT_TOO_LARGE', command: 'GET' };

describe('a reply that no value can hold', () => {
  let fake;
  let redis;
  const serve = async (...replies) => {
    fake = await replyingServer([...replies, () => ['$5\r\nafter\r\n']]);
    redis = createRedis({ port: fake.port, commandTimeout: '60s', heartbeat: 0 });
  };
  afterEach(() => {
    redis.destroy();
    fake.close();
  });

  test('a string: the command is rejected, what is behind it is answered, the connection stays', async () => {
    await serve(() => bulk(constants.MAX_STRING_LENGTH + 1));
    const [large, next] = [redis.get('large'), redis.get('next')];
    expect(await rejection(large)).toMatchObject(TOO_LARGE);
    expect(await next).toBe('after');
    expect(fake.connections()).toBe(1);
  }, 60_000);

  test('a string inside of arrays', async () => {
    await serve(function* nested() {
      yield '*2\r\n:1\r\n*2\r\n';
      yield* bulk(constants.MAX_STRING_LENGTH + 1);
      yield ':2\r\n';
    });
    const [large, next] = [redis.get('large'), redis.get('next')];
    expect(await rejection(large)).toMatchObject(TOO_LARGE);
    expect(await next).toBe('after');
    expect(fake.connections()).toBe(1);
  }, 60_000);

  // A Map goes the same way, and takes twice as long.
  test('a Set with more entries than there can be', async () => {
    const count = 2 ** 24 + 1;
    await serve(() => integers(`~${count}\r\n`, count));
    const [large, next] = [redis.get('large'), redis.get('next')];
    expect(await rejection(large)).toMatchObject(TOO_LARGE);
    expect(await next).toBe('after');
    expect(fake.connections()).toBe(1);
  }, 120_000);
});
