'use strict';
// A private redis-server: own port, own Unix socket, nothing kept on disk. Used by the tests, the demo and the benches.
//
//   const server = await RedisServer.start({ args: ['--requirepass', 'x'] });
//   server.url, server.port, server.socketPath, server.unixUrl, server.pid
//   server.pause(); server.resume();           SIGSTOP and SIGCONT
//   await server.kill();                       SIGKILL: what a crash looks like
//   await server.restart();                    the same port and socket again, empty
//   await server.stop();                       ends it, and removes its directory
//
//   describe.each(testServers())('%s', (_, program) => …  RedisServer.start({ program }) …)   each kind there is

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const PORT_ATTEMPTS = 5;

/** Path of the redis-server program: REDIS_SERVER, else the one in PATH, else undefined. */
function findRedisServer() {
  if (process.env.REDIS_SERVER) return process.env.REDIS_SERVER;
  return findProgram('redis-server');
}

/**
 * Name and path of every server program that the tests of failures run against: those of TIERCEL_TEST_SERVERS (paths or
 * names, with commas in between), else redis-server, and valkey-server where it is in PATH.
 * @returns {Array<[name: string, program: string]>}
 */
function testServers() {
  const named = process.env.TIERCEL_TEST_SERVERS?.split(',').map((name) => name.trim());
  const programs = named?.filter(Boolean).map((name) => (name.includes(path.sep) ? name : findProgram(name)));
  const found = programs ?? [findRedisServer(), findProgram('valkey-server')];
  return found.filter((program) => program !== undefined).map((program) => [path.basename(program), program]);
}

/**
 * The same with their versions, for tests that run on each. Says in one line what is left out.
 * @returns {Array<{ name: string, program: string, version: string, number: number }>} number: 80001 for 8.0.1
 */
function servers() {
  const found = testServers().map(([name, program]) => {
    const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
    const version = /\bv=([\d.]+)/.exec(text)?.[1] ?? '0.0.0';
    const [major, minor, patch] = version.split('.').map(Number);
    return { name, program, version, number: major * 10_000 + minor * 100 + patch };
  });
  if (!found.some(({ name }) => name === 'valkey-server')) {
    process.stderr.write('valkey-server is not installed (npm run setup): its tests are left out\n');
  }
  return found;
}

function findProgram(name) {
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(dir, name);
    if (dir !== '' && fs.existsSync(file)) return file;
  }
  return undefined;
}

/** A TCP port of the loopback that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class RedisServer {
  #program;
  #args;
  #cpu;
  #child = null;
  #exited = null;
  #killAtExit = () => this.#child?.kill('SIGKILL');

  /**
   * @param {object} [options]
   * @param {string[]} [options.args] more arguments for redis-server: `['--maxmemory', '10mb']`
   * @param {number} [options.port] default: a free one
   * @param {string} [options.program] default: {@link findRedisServer}
   * @param {number} [options.cpu] the core to pin it to, where taskset exists
   */
  static async start(options = {}) {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(options);
      server.port = options.port ?? (await freePort());
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody may have taken the port between the probe and the start.
        if (options.port !== undefined || attempt === PORT_ATTEMPTS || !error.portTaken) throw error;
      }
    }
  }

  /** Use {@link RedisServer.start}. */
  constructor({ args = [], cpu, program = findRedisServer() } = {}) {
    this.#program = program;
    if (!this.#program) throw new Error('redis-server is not installed (run: npm run setup)');
    this.#args = args;
    this.#cpu = cpu;
    this.host = HOST;
    this.port = 0;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tiercel-redis-'));
    this.socketPath = path.join(this.directory, 'redis.sock');
    this.logFile = path.join(this.directory, 'redis.log');
    process.on('exit', this.#killAtExit);
  }

  get url() {
    return `redis://${this.host}:${this.port}`;
  }

  get unixUrl() {
    return `unix://${this.socketPath}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  get running() {
    return this.#child !== null;
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill() {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Ends the server if it runs, and starts an empty one on the same port and socket. */
  async restart() {
    await this.#terminate();
    await this.#launch();
  }

  /** Ends the server and removes its directory. Safe to call twice. */
  async stop() {
    await this.#terminate();
    process.removeListener('exit', this.#killAtExit);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  async #launch() {
    fs.rmSync(this.socketPath, { force: true });
    const [command, ...args] = this.#commandLine();
    // A group of its own: Ctrl-C in the terminal is for the program that uses the server, which then stops it.
    const log = fs.openSync(this.logFile, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true });
    fs.closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const gone = () => {
        if (this.#child === child) this.#child = null;
        resolve();
      };
      child.once('exit', gone);
      child.once('error', gone);
    });

    const deadline = Date.now() + START_TIMEOUT_MS;
    // Asked through the socket, which nobody else can have.
    while (!(await this.#answers())) {
      if (!this.running) throw this.#startError('redis-server ended');
      if (Date.now() > deadline) throw this.#startError('redis-server did not answer');
      await delay(10);
    }
  }

  #commandLine() {
    const command = [
      ...[this.#program, '--bind', HOST, '--port', String(this.port)],
      ...['--unixsocket', this.socketPath, '--dir', this.directory, '--logfile', this.logFile],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', ...this.#args],
    ];
    if (this.#cpu !== undefined && findProgram('taskset')) command.unshift('taskset', '-c', String(this.#cpu));
    // It must not outlive us, even when we are killed.
    if (process.platform === 'linux' && supportsDeathSignal()) command.unshift('setpriv', '--pdeathsig', 'KILL');
    return command;
  }

  #answers() {
    return new Promise((resolve) => {
      const socket = net.connect(this.socketPath, () => socket.write('PING\r\n'));
      const done = (answer) => {
        socket.destroy();
        resolve(answer);
      };
      // A server that wants a password, or one that is busy loading, answers with an error, and is there.
      socket.once('data', (bytes) => done(/^(\+PONG|-NOAUTH|-NOPERM)/.test(bytes.toString('latin1'))));
      socket.once('error', () => done(false));
      socket.setTimeout(1000, () => done(false));
    });
  }

  #startError(message) {
    let log = '';
    try {
      log = fs.readFileSync(this.logFile, 'utf8').trim();
    } catch {
      // It ended before it had a log.
    }
    const error = new Error(`${message}: ${log.split('\n').slice(-5).join('\n') || 'no log'}`);
    error.portTaken = /Address already in use|Failed listening/i.test(log);
    return error;
  }

  async #terminate() {
    const child = this.#child;
    if (!child) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

let deathSignal;

function supportsDeathSignal() {
  if (deathSignal === undefined) {
    try {
      execFileSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' });
      deathSignal = true;
    } catch {
      deathSignal = false;
    }
  }
  return deathSignal;
}

module.exports = { RedisServer, findRedisServer, freePort, servers, testServers };
