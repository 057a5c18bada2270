'use strict';
// Real servers on a free port, real requests through node:http.

const http = require('node:http');
const net = require('node:net');
const { until: waitFor } = require('./until');

/** @type {Array<() => unknown>} */
let cleanups = [];

/** Ends what a test started; call it in afterEach. */
async function cleanUp() {
  const tasks = cleanups;
  cleanups = [];
  for (const task of tasks.reverse()) await task();
}

/** @param {() => unknown} task */
function onCleanUp(task) {
  cleanups.push(task);
}

/**
 * @param {http.RequestListener} listener
 * @returns {Promise<{ port: number, host: string }>}
 */
function serve(listener) {
  return new Promise((resolve) => {
    const server = http.createServer(listener).listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      onCleanUp(
        () =>
          new Promise((done) => {
            server.close(done);
            server.closeAllConnections();
          }),
      );
      resolve({ port, host: `127.0.0.1:${port}` });
    });
  });
}

/**
 * @param {{ port: number }} server
 * @param {string} path
 * @param {{ method?: string, headers?: Record<string, any>, body?: string }} [options]
 * @returns {Promise<{ status: number, message: string, headers: Record<string, any>, raw: string[], bytes: Buffer,
 *   body: string, cacheStatus: string }>}
 */
function request(server, path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (res) => {
      /** @type {Buffer[]} */
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: res.statusCode ?? 0,
          message: res.statusMessage ?? '',
          headers: res.headers,
          raw: res.rawHeaders,
          bytes,
          body: bytes.toString(),
          cacheStatus: String(res.headers['cache-status']),
        });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/**
 * Everything that the server sends for these bytes, until it closes the connection.
 * @param {{ port: number }} server
 * @param {string} text
 * @returns {Promise<Buffer>}
 */
function exchange(server, text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(text, 'latin1'));
    /** @type {Buffer[]} */
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** @param {() => unknown} condition */
const until = (condition) => waitFor(String(condition), condition);

module.exports = { serve, request, exchange, until, onCleanUp, cleanUp };
