'use strict';
// What networks and servers do: no answer ever goes to another command, no write runs twice, and the client mends itself.

const { createCache, createRedis, RedisError } = require('../../lib');
const { linkOf } = require('../../lib/redis/link');
const { RedisClient } = require('../../lib/redis/client');
const { PATIENCE } = require('../helpers/patience');
const { timed } = require('../helpers/timed');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer, testServers, freePort } = require('../helpers/redis-server');
const { delay, nextEvent, rejection, until } = require('../helpers/until');

/** Random numbers that are the same in every run: mulberry32. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

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

describe.each(testServers())('%s', (_name, program) => {
  let server;
  let direct;
  let proxy;
  let lost;
  beforeAll(async () => {
    server = await RedisServer.start({ program, args: ['--enable-debug-command', 'yes'] });
    direct = createRedis(server.url);
    await direct.mset(...Array.from({ length: 2000 }, (_, i) => [`k:${i}`, `v:${i}`]).flat());
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    lost = ['CONNECTION_LOST', 'COMMAND_TIMEOUT'];
  });
  afterEach(() => proxy.close());
  afterAll(async () => {
    await direct.close();
    await server.stop();
  });

  /** Every kind of command, each with an answer that is its own; 'ok' or the code of its error. */
  async function ask(client, i, counts) {
    const check = (value, expected) => {
      if (value !== expected) throw new Error(`command ${i}: expected ${expected}, got ${String(value).slice(0, 60)}`);
      return 'ok';
    };
    try {
      switch (i % 6) {
        case 0:
          return check(await client.get(`k:${i % 2000}`), `v:${i % 2000}`);
        case 1:
          return check(await client.echo(`e:${i}`), `e:${i}`);
        case 2: {
          const large = `${i}:`.repeat(500 + (i % 7) * 300);
          return check(await client.echo(large), large);
        }
        case 3:
          return check(await client.set(`mine:${i}`, i), 'OK');
        case 4: {
          const [first, second] = await client.mget(`k:${i % 2000}`, `k:${(i * 7) % 2000}`);
          return check(`${first},${second}`, `v:${i % 2000},v:${(i * 7) % 2000}`);
        }
        default: {
          counts.submitted++;
          const value = await client.incr('counter');
          counts.acknowledged++;
          // Never twice the same, and never less.
          if (value <= counts.last) throw new Error(`command ${i}: counter ${value} after ${counts.last}`);
          counts.last = value;
          return 'ok';
        }
      }
    } catch (error) {
      if (!(error instanceof RedisError) || !lost.includes(error.code)) throw error;
      if (i % 6 === 5) counts.unknown++;
      return error.code;
    }
  }

  /** `total` commands in bursts; `between(n)` may break something while they are under way. */
  async function load(client, total, between, burst = 25) {
    await direct.del('counter');
    const counts = { submitted: 0, acknowledged: 0, unknown: 0, last: 0 };
    const outcomes = [];
    for (let i = 0; i < total; i += burst) {
      const commands = Array.from({ length: burst }, (_, j) => ask(client, i + j, counts));
      const all = Promise.all(commands);
      await between(i / burst);
      outcomes.push(...(await all));
    }
    proxy.pass();
    // A command that nobody waits for any more may still be on its way.
    await delay(20);
    const counter = Number((await direct.get('counter')) ?? 0);
    expect(counter).toBeGreaterThanOrEqual(counts.acknowledged);
    expect(counter).toBeLessThanOrEqual(counts.acknowledged + counts.unknown);
    expect(counts.acknowledged + counts.unknown).toBe(counts.submitted);
    // It mends itself, however much longer than its command timeout that takes on a busy machine.
    await until('an answer', () => client.echo('after').catch(() => ''));
    return outcomes;
  }

  describe('the network', () => {
    const options = (more = {}) => ({ url: proxy.url, commandTimeout: '500ms', heartbeat: '200ms', ...more });
    const share = (outcomes, code) => outcomes.filter((outcome) => outcome === code).length;

    test('delay', async () => {
      const outcomes = await load(connect(options()), 300, () => proxy.delay(5));
      expect(share(outcomes, 'ok')).toBe(300);
    });

    test('one byte at a time', async () => {
      const outcomes = await load(connect(options({ commandTimeout: '10s' })), 48, () => proxy.oneByteAtATime(), 12);
      expect(share(outcomes, 'ok')).toBe(48);
    }, 20_000);

    test('pauses', async () => {
      const outcomes = await load(connect(options()), 300, async () => {
        proxy.pause();
        await delay(5);
        proxy.resume();
      });
      expect(share(outcomes, 'ok')).toBe(300);
    });

    test.each(['toServer', 'toClient'])('cut in the middle of a frame, %s', async (direction) => {
      const random = seeded(1);
      const outcomes = await load(connect(options()), 600, (n) => {
        if (n % 2 === 0) proxy.cut(direction, Math.floor(random() * 8000));
      });
      expect(share(outcomes, 'CONNECTION_LOST')).toBeGreaterThan(20);
      expect(share(outcomes, 'ok')).toBeGreaterThan(200);
    });

    test.each(['reset', 'drop'])('%s', async (how) => {
      const outcomes = await load(connect(options()), 600, async (n) => {
        if (n % 3 !== 0) return;
        for (let i = 0; i < (n % 4) + 1; i++) await new Promise(setImmediate);
        proxy[how]();
      });
      expect(share(outcomes, 'COMMAND_TIMEOUT')).toBe(0);
      expect(share(outcomes, 'ok')).toBeGreaterThan(200);
    });

    test('swallowed', async () => {
      const outcomes = await load(connect(options({ commandTimeout: '100ms', heartbeat: '50ms' })), 150, (n) => {
        if (n === 2) proxy.swallow();
        if (n === 4) proxy.pass();
      });
      expect(share(outcomes, 'ok')).toBeGreaterThanOrEqual(50);
      expect(outcomes.slice(50, 75)).not.toContain('ok');
    });

    test.each([11, 12])(
      '2,000 commands and faults at random (seed %i)',
      async (seed) => {
        const random = seeded(seed);
        const faults = [
          () => proxy.delay(Math.floor(random() * 8)),
          () => proxy.cut('toServer', Math.floor(random() * 20_000)),
          () => proxy.cut('toClient', Math.floor(random() * 20_000)),
          () => proxy.reset(),
          () => proxy.drop(),
          () => proxy.swallow(),
          () => proxy.pause(),
          () => proxy.pass(),
          () => proxy.pass(),
        ];
        const client = connect(options({ commandTimeout: '60ms', heartbeat: '40ms' }));
        const outcomes = await load(
          client,
          2000,
          async () => {
            await delay(Math.floor(random() * 4));
            faults[Math.floor(random() * faults.length)]();
            await delay(Math.floor(random() * 15));
            if (random() < 0.6) proxy.pass();
          },
          40,
        );
        expect(share(outcomes, 'ok')).toBeGreaterThan(300);
      },
      25_000,
    );

    test('in flight is lost, queued is kept', async () => {
      const client = connect(options({ commandTimeout: '5s' }));
      await client.ping();
      const before = client.stats();
      const inFlight = [client.call('BLPOP', 'nothing', 0), client.incr('once'), client.get('k:1')].map(rejection);
      await delay(20);
      proxy.refuse();
      proxy.reset();
      expect((await Promise.all(inFlight)).map(({ code }) => code)).toEqual(Array(3).fill('CONNECTION_LOST'));
      expect(client.status).toBe('reconnecting');
      const queued = [client.incr('queued'), client.get('k:1'), client.echo('queued')];
      await delay(60);
      proxy.pass();
      expect(await Promise.all(queued)).toEqual([1, 'v:1', 'queued']);
      expect(await direct.exists('once')).toBe(0); // BLPOP was in front of it
      expect(client.stats()).toMatchObject({ losses: before.losses + 1, waiting: 0 });
      await direct.del('queued');
    });

    test('half-open: found by the heartbeat', async () => {
      const client = connect(options({ commandTimeout: '200ms' }));
      await client.ping();
      proxy.swallow();
      const began = performance.now();
      const [{ reason }] = await nextEvent(client, 'close');
      expect(performance.now() - began).toBeLessThan(1000);
      expect(reason).toContain('heartbeat');
      proxy.pass();
      expect(await client.ping()).toBe('PONG');
    });

    test('a command that waits for ever is not silence, with a commandTimeout or without', async () => {
      for (const commandTimeout of ['150ms', 0]) {
        const client = connect(options({ heartbeat: '50ms', commandTimeout }));
        await client.ping();
        const popped = client.call('BLPOP', 'list', 0);
        await delay(500);
        await direct.call('RPUSH', 'list', 'x');
        expect(await popped).toEqual(['list', 'x']);
        expect(client.stats().losses).toBe(0);
      }
    });

    test('the server restarts every 300 ms under load', async () => {
      const own = await RedisServer.start({ program });
      const client = connect({ url: own.url, commandTimeout: '2s' });
      const counts = { answers: 0, lost: 0 };
      let isOn = true;
      const worker = async (w) => {
        for (let n = 0; isOn; n++) {
          const burst = Array.from({ length: 10 }, async (_, i) => {
            const name = `${w}:${n}:${i}`;
            try {
              const [echo, set, got] = await Promise.all([client.echo(name), client.set(name, name), client.get(name)]);
              // The server comes back empty; the client never with what belongs to another.
              if (echo !== name || set !== 'OK' || (got !== name && got !== null)) throw new Error(`${name}: ${got}`);
              counts.answers++;
            } catch (error) {
              if (error.code !== 'CONNECTION_LOST') throw error;
              counts.lost++;
            }
          });
          await Promise.all(burst);
        }
      };
      const work = Promise.all([0, 1, 2, 3].map(worker));
      const until = performance.now() + 6000;
      try {
        while (performance.now() < until) {
          await delay(300);
          await own.restart();
        }
        isOn = false;
        await work;
        expect(counts.answers).toBeGreaterThan(1000);
        expect(counts.lost).toBeGreaterThan(0);
        expect(client.stats().losses).toBeGreaterThan(8);
      } finally {
        isOn = false;
        client.destroy();
        await own.stop();
      }
    }, 20_000);
  });

  describe('a frozen server', () => {
    test('reads of a cache cost nothing after the first timeouts, and come back with it', async () => {
      const own = await RedisServer.start({ program });
      const cache = createCache({
        redis: { url: own.url, heartbeat: '200ms' },
        memory: false,
        commandTimeout: '100ms',
      });
      const times = [];
      const read = async (key) => {
        const began = performance.now();
        const value = await cache.getOrSet(key, () => 'loaded');
        times.push(performance.now() - began);
        return value;
      };
      try {
        await until('a store', () => cache.set('k', 'stored'));
        own.pause();
        const first = await Promise.all(Array.from({ length: 20 }, () => read('k')));
        expect(new Set(first)).toEqual(new Set(['loaded']));
        expect(Math.max(...times)).toBeLessThan(400 * PATIENCE);
        times.length = 0;
        // Longer than the heartbeat takes to give the connection up, and the next one to hang as well.
        for (let i = 0; i < 100; i++) {
          for (let j = 0; j < 5; j++) await read(`k:${i}:${j}`);
          await delay(8);
        }
        times.sort((a, b) => a - b);
        expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(10);
        own.resume();
        let loads = 0;
        const isHit = async () => {
          const before = loads;
          await cache.getOrSet('back', () => ++loads);
          return before > 0 && before === loads;
        };
        await until('hits', isHit);
      } finally {
        own.resume();
        await cache.close();
        await own.stop();
      }
    });
  });

  describe('what a server says', () => {
    const fails = async (answer, code) => {
      const error = await rejection(answer);
      expect(error).toBeInstanceOf(RedisError);
      expect(error.code).toBe(code);
      return error;
    };

    test('LOADING', async () => {
      const client = connect(server.url);
      await direct.call('CONFIG', 'SET', 'key-load-delay', 500, 'loading-process-events-interval-bytes', 1024);
      // Saves everything, and reads it again, slowly.
      const loading = connect(server.url).call('DEBUG', 'RELOAD');
      await until('LOADING', async () => {
        const outcome = await client.get('k:1').catch((error) => error);
        return outcome instanceof RedisError && outcome.code === 'LOADING';
      });
      // For one that connects now, too.
      const late = connect(server.url);
      await fails(late.get('k:1'), 'LOADING');
      expect(await loading).toBe('OK');
      await direct.call('CONFIG', 'SET', 'key-load-delay', 0);
      expect(await Promise.all([client.get('k:1'), late.get('k:1')])).toEqual(['v:1', 'v:1']);
      expect(client.stats().losses + late.stats().losses).toBe(0);
    });

    test('BUSY', async () => {
      await direct.call('CONFIG', 'SET', 'lua-time-limit', 50);
      const [client, spinner] = [connect(server.url), connect({ url: server.url, commandTimeout: '150ms' })];
      await client.ping();
      await fails(spinner.eval('while true do end', 0), 'COMMAND_TIMEOUT');
      await fails(client.get('k:1'), 'BUSY');
      await fails(client.set('k:1', 'x'), 'BUSY');
      expect(await client.call('SCRIPT', 'KILL')).toBe('OK');
      await until('the end of the script', () => client.get('k:1').catch(() => undefined));
      // The late error was for the script, which nobody waits for any more.
      expect(await spinner.get('k:1')).toBe('v:1');
      expect(spinner.stats().losses + client.stats().losses).toBe(0);
    });

    test('READONLY: the command fails, and the client looks for the new master', async () => {
      const client = connect(proxy.url);
      await client.ping();
      await delay(1050);
      const master = await RedisServer.start({ program });
      try {
        await direct.call('REPLICAOF', master.host, master.port);
        proxy.target = master.port;
        const closed = nextEvent(client, 'close');
        await fails(client.set('mine', 1), 'READONLY');
        const [{ reason }] = await closed;
        expect(reason).toContain('replica');
        expect(await client.set('mine', 2)).toBe('OK');
        const other = connect(master.url);
        expect(await other.get('mine')).toBe('2');
      } finally {
        await direct.call('REPLICAOF', 'NO', 'ONE');
        await master.stop();
      }
    });

    test('MASTERDOWN', async () => {
      const replica = await RedisServer.start({ program, args: ['--replica-serve-stale-data', 'no'] });
      try {
        const client = connect(replica.url);
        await client.set('k', 1);
        const admin = connect(replica.url);
        await admin.call('REPLICAOF', '127.0.0.1', await freePort());
        await fails(client.get('k'), 'MASTERDOWN');
        await fails(connect({ url: replica.url, clientName: 'late', db: 0 }).get('k'), 'MASTERDOWN');
        await admin.call('REPLICAOF', 'NO', 'ONE');
        expect(await client.get('k')).toBe('1');
        expect(client.stats().losses).toBe(0);
      } finally {
        await replica.stop();
      }
    });

    test('too many clients', async () => {
      const small = await RedisServer.start({ program, args: ['--maxclients', '1'] });
      try {
        const [first, second] = [connect(small.url), createRedis(small.url)];
        clients.push(second);
        const errors = [];
        second.on('error', (error) => errors.push(error));
        first.on('error', () => {});
        await first.ping();
        await until('refusals', () => errors.length >= 4);
        const told = errors.filter(({ message }) => message.includes('ERR max number of clients reached'));
        expect(told.length).toBeGreaterThan(0);
        for (const error of told) expect(error.code).toBe('CONNECT_FAILED');
        const answer = second.ping();
        await first.close();
        expect(await answer).toBe('PONG');
      } finally {
        await small.stop();
      }
    });

    test('OOM', async () => {
      const full = await RedisServer.start({
        program,
        args: ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'],
      });
      try {
        const client = connect(full.url);
        const error = await fails(
          client.set('k', 'x'.repeat(2e6)).then(() => client.set('l', 1)),
          'OOM',
        );
        expect(error.command).toBe('SET');
        expect(await client.get('l')).toBeNull();
        await client.call('CONFIG', 'SET', 'maxmemory', 0);
        expect(await client.set('l', 1)).toBe('OK');
      } finally {
        await full.stop();
      }
    });

    test('MOVED, ASK and others that no single server says', async () => {
      const client = connect(server.url);
      const says = (text) => client.eval(`return redis.error_reply('${text}')`, 0);
      await fails(says('MOVED 3999 127.0.0.1:6381'), 'MOVED');
      await fails(says('ASK 3999 127.0.0.1:6381'), 'ASK');
      await fails(says('CLUSTERDOWN Hash slot not served'), 'CLUSTERDOWN');
      await fails(says('TRYAGAIN later'), 'TRYAGAIN');
      const results = await client
        .pipeline()
        .get('k:1')
        .eval("return redis.error_reply('MOVED 1 :1')", 0)
        .get('k:2')
        .exec();
      expect(results.map((result) => result.code ?? result)).toEqual(['v:1', 'MOVED', 'v:2']);
      expect(client.stats().losses).toBe(0);
    });
  });
});

describe('reconnecting', () => {
  const observe = async (client, count) => {
    const seen = [];
    client.on('error', () => {});
    client.on('reconnecting', (details) => seen.push({ ...details, at: performance.now() }));
    await until('attempts', () => seen.length >= count);
    return seen;
  };

  timed('50 ms at first, twice as long each time, with jitter', async () => {
    const port = await freePort();
    const client = connect({ port });
    const seen = await observe(client, 6);
    seen.forEach(({ attempt, delay: wait }, i) => {
      expect(attempt).toBe(i + 1);
      expect(wait).toBeGreaterThanOrEqual(25 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(50 * 2 ** i);
    });
    // It does wait as long as it says.
    for (let i = 1; i < seen.length; i++) {
      expect(seen[i].at - seen[i - 1].at).toBeGreaterThan(seen[i - 1].delay - 5);
      expect(seen[i].at - seen[i - 1].at).toBeLessThan((seen[i - 1].delay + 150) * PATIENCE);
    }
  });

  test('never longer than the limit, each client in its own rhythm, and from the beginning after a success', async () => {
    const port = await freePort();
    const { options } = linkOf(connect({ port }));
    const make = () => {
      const client = new RedisClient({ ...options, backoffMin: 2, backoffMax: 16 });
      clients.push(client);
      return client;
    };
    const all = await Promise.all([observe(make(), 25), observe(make(), 25), observe(make(), 25)]);
    for (const seen of all) {
      for (const { attempt, delay: wait } of seen) {
        expect(wait).toBeLessThanOrEqual(16);
        if (attempt > 4) expect(wait).toBeGreaterThanOrEqual(8);
      }
    }
    expect(new Set(all.map((seen) => seen.slice(3, 25).map(({ delay: wait }) => wait).join())).size).toBe(3); // prettier-ignore
    const client = make();
    await observe(client, 3);
    const server = await RedisServer.start({ port });
    try {
      await client.ping();
      const event = nextEvent(client, 'reconnecting');
      await server.kill();
      const [{ attempt, delay: wait }] = await event;
      expect([attempt, wait <= 2]).toEqual([1, true]);
    } finally {
      await server.stop();
    }
  });
});
