'use strict';
// Starts the suite's own server, on a Unix socket: no port can be taken, and nobody else in the network can reach it.

const { fork } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const START_TIMEOUT_MS = 10_000;

/**
 * @param {import('./suite').Suite} suite
 * @param {{ verbose?: boolean }} [options]
 * @returns {Promise<{ target: { socketPath: string }, stop(): Promise<void> }>}
 */
async function startOrigin(suite, { verbose = false } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tiercel-origin-'));
  const socketPath = path.join(directory, 'origin.sock');
  const child = fork(path.join(__dirname, 'origin-process.js'), [suite.server], {
    // It serves the files of its working directory, and writes its process id.
    cwd: directory,
    env: {
      ...process.env,
      npm_config_protocol: 'http',
      npm_config_port: socketPath,
      npm_config_pidfile: path.join(directory, 'pid'),
    },
    execArgv: [],
    stdio: ['ignore', verbose ? 'inherit' : 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise((resolve) => child.once('close', resolve));

  async function stop() {
    child.kill();
    await exited;
    fs.rmSync(directory, { recursive: true, force: true });
  }

  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(socketPath))) {
    const over = child.exitCode !== null || child.signalCode !== null;
    if (over || Date.now() > deadline) {
      await stop();
      throw new Error(`the server of the suite ${over ? 'ended' : 'did not start'}: ${suite.server}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { target: { socketPath }, stop };
}

function accepts(socketPath) {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

module.exports = { startOrigin };
