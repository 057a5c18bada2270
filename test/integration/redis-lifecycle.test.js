'use strict';
// How clients begin and end: a thousand times over, in worker threads that are killed, in processes that do not wait.

const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { runScript, ROOT } = require('../helpers/run-script');
const { delay, nextEvent, rejection, until } = require('../helpers/until');

let server;
let direct;
beforeAll(async () => {
  server = await RedisServer.start();
  direct = createRedis(server.url);
  await direct.ping();
});
afterAll(async () => {
  await direct.close();
  await server.stop();
});

/** A script with `url` and `delay`. */
const run = (script, options) =>
  runScript(
    `const url = ${JSON.stringify(server.url)};
    const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    ${script}`,
    options,
  );
const connected = async () => Number((await direct.info('clients')).clients.connected_clients);

describe('over and over', () => {
  test('1,000 connects and disconnects: no memory, no handle, no connection is left', async () => {
    const { code, stdout, stderr } = await run(
      `
      const gc = require('node:vm').runInNewContext('gc');
      const handles = (wanted) => process.report.getReport().libuv.filter(({ type }) => wanted(type)).map(({ type }) => type).sort().join();
      const others = () => handles((type) => type !== 'timer' && type !== 'loop');
      const timers = () => handles((type) => type === 'timer').split(',').length;
      const life = async (n) => {
        const client = tiercel.createRedis({ url, clientName: 'life-' + n });
        client.on('error', () => {});
        switch (n % 5) {
          case 0:
            client.ping().catch(() => {});
            return client.destroy(); // while it connects
          case 1:
            await client.ping();
            client.set('k', 'x'.repeat(50_000)).catch(() => {});
            return client.destroy();
          case 2:
            await Promise.all([client.set('k', n), client.get('k')]);
            return client.close();
          case 3:
            client.get('k').catch(() => {});
            return client.close();
          default:
            await client.multi().set('k', n).get('k').exec();
            await client.subscribe('channel', () => {});
            return client.close();
        }
      };
      const round = async () => {
        for (let n = 0; n < 250; n += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => life(n + i)));
        await delay(50);
        gc();
        await delay(20);
        gc();
      };
      const before = [others(), timers()];
      for (let i = 0; i < 3; i++) await round();
      const warm = process.memoryUsage().rss;
      const external = process.memoryUsage().external;
      for (let i = 0; i < 4; i++) await round();
      console.log(JSON.stringify({
        grown: (process.memoryUsage().rss - warm) / 2 ** 20,
        external: process.memoryUsage().external - external,
        before,
        after: [others(), timers()],
      }));`,
      { env: { NODE_OPTIONS: '--expose-gc' }, timeout: 25_000 },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { grown, external, before, after } = JSON.parse(stdout);
    expect(grown).toBeLessThan(20);
    expect(external).toBeLessThan(2 ** 20);
    expect(after[0]).toBe(before[0]);
    // One may be V8's, for its garbage.
    expect(after[1]).toBeLessThanOrEqual(before[1] + 1);
    await until('an end of all connections', async () => (await connected()) === 1);
  });

  test('destroyed while connecting, at every moment', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const client = createRedis(turns % 2 === 0 ? server.url : server.unixUrl);
      const answer = client.ping().catch((error) => error.code);
      for (let i = 0; i < turns / 2; i++) await new Promise(setImmediate);
      client.destroy();
      expect(['PONG', 'CLIENT_CLOSED']).toContain(await answer);
      expect(client.status).toBe('closed');
    }
    await until('an end of all connections', async () => (await connected()) === 1);
  });
});

describe('worker threads', () => {
  const SCRIPTS = {
    'in the middle of pipelines': `
      const client = tiercel.createRedis(url);
      await client.ping();
      parentPort.postMessage('go');
      for (;;) {
        const pipeline = client.pipeline();
        for (let i = 0; i < 200; i++) pipeline.set('w' + i, 'x'.repeat(1000)).get('w' + i);
        await Promise.all([pipeline.exec(), client.multi().incr('n').get('w1').exec()]);
      }`,
    'while connecting': `
      const clients = [];
      const begin = () => {
        for (const where of [url, 'redis://localhost:1', 'redis://127.0.0.1:1', unixUrl]) {
          const client = tiercel.createRedis(where);
          client.get('k').catch(() => {});
          clients.push(client);
        }
      };
      begin();
      parentPort.postMessage('go');
      for (;;) {
        begin();
        await new Promise(setImmediate);
        while (clients.length > 20) clients.shift().destroy();
      }`,
    'while closing': `
      parentPort.postMessage('go');
      for (;;) {
        const clients = [url, unixUrl, url].map((where) => tiercel.createRedis(where));
        await Promise.all(clients.map((client) => client.ping()));
        for (const client of clients) for (let i = 0; i < 100; i++) client.echo('x'.repeat(100)).catch(() => {});
        await Promise.all(clients.map((client) => client.close()));
      }`,
  };

  test.each(Object.entries(SCRIPTS))('10 that are terminated %s', async (_name, script) => {
    const lives = Array.from({ length: 10 }, async (_, i) => {
      await delay(i * 30);
      const worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
        const tiercel = require(${JSON.stringify(ROOT)});
        const url = ${JSON.stringify(server.url)};
        const unixUrl = ${JSON.stringify(server.unixUrl)};
        (async () => {${script}\n})();`,
        { eval: true },
      );
      await once(worker, 'message');
      await delay((i * 7) % 23);
      await worker.terminate();
      expect(await direct.ping()).toBe('PONG');
    });
    await Promise.all(lives);
    await until('an end of all connections', async () => (await connected()) === 1);
  });
});

describe('the end of a process', () => {
  test.each([
    [
      'in the middle of I/O',
      `const big = 'x'.repeat(2e6); client.set('k', big); client.get('k'); setImmediate(() => process.exit(7));`,
    ],
    ['before anything was sent', `client.set('k', 1); process.exit(7);`],
    ['in an answer', `client.ping().then(() => process.exit(7)); client.get('k');`],
    ['in an event', `client.on('ready', () => process.exit(7)); client.get('k');`],
    ['while closing', `await client.ping(); client.get('k'); client.close(); process.exit(7);`],
    ['after destroy()', `await client.ping(); client.get('k').catch(() => {}); client.destroy(); process.exit(7);`],
  ])('process.exit() %s', async (_name, script) => {
    expect(await run(`const client = tiercel.createRedis(url); ${script}`)).toMatchObject({ code: 7, stderr: '' });
  });

  test('an uncaught error in the middle of I/O is the reason that is shown', async () => {
    const { code, stderr } = await run(`
      const client = tiercel.createRedis(url);
      await client.ping();
      for (let i = 0; i < 1000; i++) client.echo('x'.repeat(1000));
      setTimeout(() => { throw new Error('mine'); }, 0);`);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: mine');
  });

  test('who holds it: a client that was forgotten does; one that was closed, destroyed or unref()ed does not', async () => {
    const [forgotten, unlinked, closed, destroyed, unreferenced] = await Promise.all([
      run(`const client = tiercel.createRedis(url); await client.ping(); console.log('idle');`, { timeout: 2500 }),
      run(`(() => tiercel.createRedis(url))(); globalThis.gc(); setTimeout(gc, 100);`, {
        env: { NODE_OPTIONS: '--expose-gc' },
        timeout: 2500,
      }),
      run(
        `const client = tiercel.createRedis(url); await client.ping(); await client.close(); globalThis.kept = client;`,
      ),
      run(`const client = tiercel.createRedis(url); await client.ping(); client.destroy(); globalThis.kept = client;`),
      run(
        `const client = tiercel.createRedis(url).unref(); client.on('ready', () => console.log('ready')); await delay(200);`,
      ),
    ]);
    expect(forgotten).toMatchObject({ signal: 'SIGKILL', stdout: 'idle' });
    expect(unlinked.signal).toBe('SIGKILL');
    expect(closed).toMatchObject({ code: 0, stderr: '' });
    expect(destroyed).toMatchObject({ code: 0, stderr: '' });
    expect(unreferenced).toMatchObject({ code: 0, stdout: 'ready', stderr: '' });
    for (const one of [closed, destroyed, unreferenced]) expect(one.ms).toBeLessThan(5000);
  });

  test('an unref()ed client that comes back, too, does not hold it', async () => {
    const { code, stdout } = await run(`
      const client = tiercel.createRedis(url).unref();
      client.on('reconnecting', () => console.log('again'));
      const other = tiercel.createRedis(url);
      await other.ping();
      await other.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      await delay(300);
      await client.ping();
      await other.close();`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'again' });
  });
});

describe('ends within ends', () => {
  test('close() and destroy() in any order, as often as one likes', async () => {
    for (const calls of ['cc', 'dd', 'cd', 'dc', 'ccddcc']) {
      const client = createRedis(server.url);
      await client.ping();
      const answer = client.echo(calls).catch((error) => error.code);
      await Promise.all([...calls].map((call) => (call === 'c' ? client.close() : client.destroy())));
      expect([calls, 'CLIENT_CLOSED']).toContain(await answer);
      expect(client.status).toBe('closed');
      expect((await rejection(client.ping())).code).toBe('CLIENT_CLOSED');
    }
  });

  test.each(['connect', 'ready', 'close', 'error', 'reconnecting'])("in the event '%s'", async (name) => {
    for (const how of ['close', 'destroy']) {
      const client = createRedis({ url: server.url, commandTimeout: '500ms' });
      client.on('error', () => {});
      const ended = nextEvent(client, name).then(() => client[how]());
      const first = client.ping().catch((error) => error.code);
      if (name !== 'connect' && name !== 'ready') {
        await first;
        await direct.call('CLIENT', 'KILL', 'ID', await client.call('CLIENT', 'ID'));
      }
      await ended;
      await client.close();
      expect(['PONG', 'CLIENT_CLOSED']).toContain(await first);
    }
  });

  test('in an answer, in a rejection, in a message', async () => {
    const answered = createRedis(server.url);
    const after = answered.get('k').then(() => answered.close());
    const rest = Array.from({ length: 50 }, (_, i) => answered.echo(i).catch((error) => error.code));
    await after;
    (await Promise.all(rest)).forEach((value, i) => expect([String(i), 'CLIENT_CLOSED']).toContain(value));

    const failed = createRedis(server.url);
    await failed.call('NOSUCH').catch(() => failed.destroy());
    expect(failed.status).toBe('closed');

    const told = createRedis(server.url);
    const message = new Promise((resolve) => {
      told.subscribe('channel', (text) => {
        told.destroy();
        resolve(text);
      });
    });
    await until('the message', async () => (await direct.publish('channel', 'last')) > 0);
    expect(await message).toBe('last');
    await told.close();
  });
});
