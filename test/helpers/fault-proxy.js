'use strict';
// A TCP proxy between a client and its server that does what networks do. What it does may change at any time, and holds
// for the connections that are open as well.
//
//   const proxy = await FaultProxy.start(server.port);
//   proxy.url, proxy.port
//   proxy.delay(50);                           everything takes so many ms longer, each way
//   proxy.cut('toClient', 10);                 10 more bytes that way, then the connection ends: in the middle of a frame
//   proxy.reset();                             RST, now, for every open connection
//   proxy.drop();                              the same with a FIN
//   proxy.swallow();                           reads everything and passes nothing on: half-open
//   proxy.oneByteAtATime();                    every byte in a segment of its own
//   proxy.pause(); proxy.resume();             reads nothing, so that both sides feel the pressure
//   proxy.refuse();                            new connections are reset
//   proxy.pass();                              no more faults; connections that lost bytes are reset, as TCP has no holes
//   proxy.target = port                        where new connections lead
//   proxy.connections, proxy.open, proxy.bytes.toServer, proxy.bytes.toClient
//   await proxy.close();

const net = require('node:net');

const HOST = '127.0.0.1';

/** @typedef {'toServer' | 'toClient'} Direction */

/** One connection of a client, and ours to the server for it. */
class Link {
  #proxy;
  #ended = false;
  #lossy = false;

  constructor(proxy, client) {
    this.#proxy = proxy;
    this.client = client;
    this.server = net.connect({ host: HOST, port: proxy.target, allowHalfOpen: true });
    for (const socket of [this.client, this.server]) {
      socket.setNoDelay(true);
      // An error is always followed by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => this.end('reset'));
    }
    this.#carry(this.client, this.server, 'toServer');
    this.#carry(this.server, this.client, 'toClient');
    if (proxy.paused) this.pause();
  }

  #carry(from, to, direction) {
    // One after the other, so that a delay does not change the order.
    let last = Promise.resolve();
    const queue = (step) => {
      last = last.then(step).catch(() => this.end('reset'));
    };
    from.on('data', (bytes) => {
      const due = performance.now() + this.#proxy.delayMs;
      queue(async () => {
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        await this.#pass(bytes, to, direction);
      });
    });
    from.on('end', () =>
      queue(() => {
        if (this.#proxy.swallowing || this.#lossy) this.#lossy = true;
        else to.end();
      }),
    );
  }

  async #pass(bytes, to, direction) {
    const proxy = this.#proxy;
    if (proxy.swallowing) this.#lossy = true;
    if (this.#ended || this.#lossy) return;
    const most = proxy.take(direction, bytes.length);
    const passed = bytes.subarray(0, most);
    proxy.bytes[direction] += passed.length;
    if (proxy.single) {
      for (let i = 0; i < passed.length && !this.#ended; i++) {
        to.write(passed.subarray(i, i + 1));
        // A turn of the loop in between, else the kernel joins them again.
        await new Promise(setImmediate);
      }
    } else if (passed.length > 0 && !to.write(passed)) {
      await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
    }
    if (most < bytes.length) this.end('drop');
  }

  pause() {
    this.client.pause();
    this.server.pause();
  }

  resume() {
    this.client.resume();
    this.server.resume();
  }

  /** The fault is over. */
  mend() {
    if (this.#lossy) this.end('reset');
    else this.resume();
  }

  /** @param {'reset' | 'drop'} how */
  end(how) {
    if (this.#ended) return;
    this.#ended = true;
    this.#proxy.forget(this);
    for (const socket of [this.client, this.server]) {
      // destroySoon: what was passed before the cut arrives.
      if (how === 'reset') reset(socket);
      else socket.destroySoon();
    }
  }
}

/**
 * Ends a connection with a RST. After our FIN it cannot be had: libuv refuses it, Node takes the handle for closed all
 * the same, and at its exit waits for it for ever, awake.
 */
function reset(socket) {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

class FaultProxy {
  #listener;
  #links = new Set();
  #left = { toServer: Infinity, toClient: Infinity };

  /** @param {number} target the port of the server */
  static async start(target) {
    const proxy = new FaultProxy(target);
    await new Promise((resolve, reject) => {
      proxy.#listener.once('error', reject).listen(0, HOST, resolve);
    });
    proxy.port = proxy.#listener.address().port;
    return proxy;
  }

  /** Use {@link FaultProxy.start}. */
  constructor(target) {
    this.target = target;
    this.port = 0;
    this.connections = 0;
    this.bytes = { toServer: 0, toClient: 0 };
    this.pass();
    this.#listener = net.createServer({ allowHalfOpen: true }, (socket) => {
      this.connections++;
      if (this.refusing) {
        socket.on('error', () => {});
        reset(socket);
        return;
      }
      this.#links.add(new Link(this, socket));
    });
  }

  get url() {
    return `redis://${HOST}:${this.port}`;
  }

  /** How many connections are open. */
  get open() {
    return this.#links.size;
  }

  pass() {
    this.delayMs = 0;
    this.swallowing = false;
    this.single = false;
    this.refusing = false;
    this.#left = { toServer: Infinity, toClient: Infinity };
    this.paused = false;
    for (const link of [...this.#links]) link.mend();
  }

  delay(ms) {
    this.delayMs = ms;
  }

  swallow() {
    this.swallowing = true;
  }

  oneByteAtATime() {
    this.single = true;
  }

  refuse() {
    this.refusing = true;
  }

  /**
   * @param {Direction} direction
   * @param {number} bytes that still pass; the connection whose bytes they are not any more ends, and this fault is over
   */
  cut(direction, bytes) {
    this.#left[direction] = bytes;
  }

  pause() {
    this.paused = true;
    for (const link of this.#links) link.pause();
  }

  resume() {
    this.paused = false;
    for (const link of this.#links) link.resume();
  }

  reset() {
    for (const link of [...this.#links]) link.end('reset');
  }

  drop() {
    for (const link of [...this.#links]) link.end('drop');
  }

  async close() {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    this.reset();
    await closed;
  }

  /**
   * For the links: how many of so many bytes may pass.
   * @param {Direction} direction
   * @param {number} wanted
   */
  take(direction, wanted) {
    const left = this.#left[direction];
    if (wanted <= left) {
      this.#left[direction] -= wanted;
      return wanted;
    }
    this.#left[direction] = Infinity;
    return left;
  }

  /** For the links: one has ended. */
  forget(link) {
    this.#links.delete(link);
  }
}

module.exports = { FaultProxy };
