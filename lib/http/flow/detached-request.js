'use strict';
// A request and a response of our own, for a run of the app whose client has its response already: the client takes everything
// and keeps nothing.

const { IncomingMessage, ServerResponse } = require('node:http');
const { Duplex } = require('node:stream');
const { setImmediate } = require('../../timers');

/**
 * A socket without a network. It says of itself what the client's said, for handlers that look.
 */
class NoSocket extends Duplex {
  /** @param {any} socket of the client */
  constructor(socket) {
    super();
    this.remoteAddress = socket?.remoteAddress;
    this.remotePort = socket?.remotePort;
    this.remoteFamily = socket?.remoteFamily;
    this.localAddress = socket?.localAddress;
    this.localPort = socket?.localPort;
    this.encrypted = socket?.encrypted;
  }

  _read() {}

  /**
   * @param {unknown} _chunk
   * @param {unknown} _encoding
   * @param {() => void} done
   */
  _write(_chunk, _encoding, done) {
    done();
  }

  setTimeout() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  setKeepAlive() {
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }
}

/**
 * @param {IncomingMessage & { originalUrl?: string }} req
 * @returns {{ req: IncomingMessage, res: ServerResponse }}
 */
function detachedCopy(req) {
  const socket = /** @type {any} */ (new NoSocket(req.socket));
  const copy = new IncomingMessage(socket);
  copy.method = 'GET';
  copy.url = req.originalUrl || req.url;
  copy.httpVersion = req.httpVersion;
  copy.httpVersionMajor = req.httpVersionMajor;
  copy.httpVersionMinor = req.httpVersionMinor;
  copy.headers = { ...req.headers };
  copy.rawHeaders = [...req.rawHeaders];
  copy.complete = true;
  // The end of a body that is not there.
  copy.push(null);
  const res = new ServerResponse(copy);
  /** @type {any} */ (res).req = copy;
  res.assignSocket(socket);
  res.once('finish', () => {
    // As a server does it for its responses: never before end() has returned, though this socket is that fast.
    setImmediate(() => {
      res.detachSocket(socket);
      socket.destroy();
      /** @type {any} */ (res).destroyed = true;
      res.emit('close');
    });
  });
  // A background run that is torn down is nobody's error.
  socket.on('error', () => {});
  return { req: copy, res };
}

/**
 * Sends a client what another response is given.
 * @param {ServerResponse} from
 * @param {ServerResponse} to
 */
function relay(from, to) {
  from.writeHead = /** @type {any} */ (
    function relayHead(/** @type {any[]} */ ...args) {
      for (const [name, value] of Object.entries(from.getHeaders())) if (value !== undefined) to.setHeader(name, value);
      Reflect.apply(to.writeHead, to, args);
      return from;
    }
  );
  from.write = /** @type {any} */ (
    (/** @type {any[]} */ ...args) => {
      if (!to.headersSent) from.writeHead(from.statusCode);
      return Reflect.apply(to.write, to, args);
    }
  );
  from.end = /** @type {any} */ (
    (/** @type {any[]} */ ...args) => {
      if (!to.headersSent) from.writeHead(from.statusCode);
      Reflect.apply(to.end, to, args);
      return from;
    }
  );
  to.on('drain', () => from.emit('drain'));
  to.once('close', () => from.emit('close'));
  to.once('finish', () => from.emit('finish'));
}

module.exports = { detachedCopy, relay };
