'use strict';
// A proxy on the loopback that counts round trips: how often a client that has been answered, or has not asked yet,
// writes again. Commands that are sent together are one.
//
//   const counter = await TurnCounter.start(server.port);
//   const turns = await counter.count(() => cache.get('k'));
//   await counter.close();

const net = require('node:net');

const HOST = '127.0.0.1';

class TurnCounter {
  #listener;
  #sockets = new Set();
  #turns = 0;

  /** @param {number} target the port of the server */
  static async start(target) {
    const counter = new TurnCounter(target);
    await new Promise((resolve, reject) => {
      counter.#listener.once('error', reject).listen(0, HOST, resolve);
    });
    return counter;
  }

  /** Use {@link TurnCounter.start}. */
  constructor(target) {
    this.#listener = net.createServer({ noDelay: true }, (client) => {
      const server = net.connect({ host: HOST, port: target, noDelay: true });
      let asking = false;
      client.on('data', (bytes) => {
        if (!asking) this.#turns++;
        asking = true;
        server.write(bytes);
      });
      server.on('data', (bytes) => {
        asking = false;
        client.write(bytes);
      });
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  get url() {
    return `redis://${HOST}:${this.#listener.address().port}`;
  }

  /**
   * @param {() => any} work
   * @returns {Promise<number>} round trips until it had ended
   */
  async count(work) {
    const before = this.#turns;
    await work();
    return this.#turns - before;
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

module.exports = { TurnCounter };
