'use strict';
// TLS: a socket of Node's carries the bytes, the native side speaks the protocol. Every option of tls.connect works.
const tls = require('node:tls');
const net = require('node:net');
const { getSystemErrorMap } = require('node:util');
const { setImmediate } = require('../timers');

const SLICE_MS = 8;

/**
 * What the errors of a socket say, without the address, which is said anyway.
 * @param {any} error
 * @returns {string}
 */
function reasonOf(error) {
  // With several addresses each has an error, and the whole has no message.
  const { errno, syscall, code, library, reason, message } = error.errors?.at(-1) ?? error;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'the server does not speak TLS: is it a TLS port?';
  const isOfSocket = syscall === 'connect' || syscall === 'getaddrinfo';
  const text = (isOfSocket && getSystemErrorMap().get(errno)?.[1]) || (library ? reason : message);
  return syscall === 'getaddrinfo' ? `cannot resolve the name: ${text}` : text;
}

/**
 * @param {{ host: string, port: number, family: number, path: string }} endpoint
 * @param {import('node:tls').ConnectionOptions} options
 */
function createTlsCarrier({ host, port, family, path }, options) {
  /** @type {any} */
  let native;
  /** @type {import('node:tls').TLSSocket | undefined} */
  let socket;
  let referenced = true;

  return {
    /** @param {any} client the native client whose bytes it carries */
    attach(client) {
      native = client;
    },

    open() {
      const where = path === '' ? { host, port, ...(family === 0 ? {} : { family }) } : { path };
      // A name for SNI and for the certificate, which an address cannot be.
      const servername = options.servername ?? (path !== '' || net.isIP(host) ? undefined : host);
      /** @type {import('node:tls').TLSSocket} */
      let opened;
      try {
        opened = tls.connect({ ...where, ...options, ...(servername === undefined ? {} : { servername }) });
      } catch (error) {
        // Options were looked at before; what they name may have changed since. Not from inside of this call.
        const { message } = /** @type {Error} */ (error);
        setImmediate(() => native.carrierFailed(message, false));
        return;
      }
      socket = opened;
      let open = false;
      // A socket that was replaced or shut has nothing to say any more.
      const current = () => socket === opened;
      /** @param {string} message */
      const fail = (message) => {
        if (!current()) return;
        socket = undefined;
        opened.destroy();
        native.carrierFailed(message, open);
      };
      opened.setNoDelay(true);
      opened.setKeepAlive(true, 30_000);
      if (!referenced) opened.unref();
      opened.on('connect', () => {
        if (current()) native.carrierReached();
      });
      opened.on('secureConnect', () => {
        if (!current()) return;
        open = true;
        native.carrierOpened();
      });
      // What came at once is taken in slices: what is made of it holds up everybody else.
      let sliceBegan = 0;
      const endSlice = () => {
        sliceBegan = 0;
        opened.resume();
      };
      opened.on('data', (chunk) => {
        if (!current()) return;
        const now = performance.now();
        if (sliceBegan === 0) {
          sliceBegan = now;
          setImmediate(endSlice);
        } else if (now - sliceBegan > SLICE_MS) opened.pause();
        native.carrierFed(chunk);
      });
      opened.on('drain', () => {
        if (current()) native.carrierDrained();
      });
      opened.on('error', (error) => fail(reasonOf(error)));
      opened.on('close', () => fail('closed by the server'));
    },

    /** @param {Buffer} bytes */
    send(bytes) {
      return socket === undefined ? true : socket.write(bytes);
    },

    backlog() {
      return socket?.writableLength ?? 0;
    },

    shut() {
      const last = socket;
      socket = undefined;
      last?.destroy();
    },

    /** @param {boolean} ref */
    ref(ref) {
      referenced = ref;
      if (ref) socket?.ref();
      else socket?.unref();
    },
  };
}

module.exports = { createTlsCarrier };
