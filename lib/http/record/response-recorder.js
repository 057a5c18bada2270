'use strict';
// Records a response while it is written, without holding anything of it back; or, when its head says so, discards it so that a
// stored response can be sent instead.

const { PATIENCE_MS } = require('../flow/collapse');
const { ResponseHead } = require('../serve/response-head');
const { announceLength, applyFields, copyOf, namesOf, swallow } = require('./response-methods');

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('../serve/response-head').Head} Head */

/**
 * What becomes of a response whose head is about to be committed. record: it is sent, and a copy is kept. pass: it is
 * sent. divert: nothing of it is sent. absorb: nothing of it is sent, and a copy is kept.
 * @typedef {'record' | 'pass' | 'divert' | 'absorb'} Verdict
 */

/** @typedef {import('../types').CaptureListener} CaptureListener */

/**
 * Whether it was the client that ended the connection, and not this process.
 * @param {ServerResponse} res
 */
function hasLeft({ req }) {
  const socket = req?.socket;
  return socket !== undefined && (socket.readableEnded || Boolean(socket.errored));
}

/** One response on its way from the handler to the client. */
class ResponseRecorder {
  #res;
  #maxBytes;
  #listener;
  /** What the layers outside of us gave the response: its methods, and its fields. */
  #lower;
  /** @type {Buffer[] | undefined} undefined: no copy is kept (any more) */
  #chunks = [];
  #size = 0;
  #recording = false;
  #judged = false;
  #diverted = false;
  /** Too large for a copy, but not for those who read along. */
  #overflowed = false;
  #ended = false;
  /** The argument of end() while end() runs: the rest of the body, known before the head is committed. */
  /** @type {{ body: Buffer | undefined } | undefined} */
  #last;
  /** @type {number | undefined} */
  #announced;
  /** @type {Array<() => void>} events of a client that has gone, for when nobody waits any more */
  #held = [];
  /** @type {NodeJS.Timeout | undefined} */
  #patience;
  /** Those who read along are too far behind. */
  #isBlocked = false;
  /** Its own client was cut off, and the others go on. */
  #leftBehind = false;

  /**
   * @param {ServerResponse} res
   * @param {number} maxBytes a longer body is sent, and not copied
   * @param {CaptureListener} listener
   */
  constructor(res, maxBytes, listener) {
    this.#res = res;
    this.#maxBytes = maxBytes;
    this.#listener = listener;
    const { writeHead, write, end, flushHeaders, emit, destroy } = res;
    /** @type {Array<[string, any]>} */
    const fields = namesOf(res).map((name) => [name, res.getHeader(name)]);
    const methods = { writeHead, write, end, flushHeaders, emit, destroy };
    const owned = new Set(Object.keys(methods).filter((name) => Object.hasOwn(res, name)));
    this.#lower = { ...methods, owned, fields, status: res.statusCode };
    const capture = this;
    res.writeHead = function tiercelWriteHead(/** @type {any[]} */ ...args) {
      return capture.#writeHead(args);
    };
    res.write = function tiercelWrite(/** @type {any[]} */ ...args) {
      return capture.#write(args);
    };
    res.end = function tiercelEnd(/** @type {any[]} */ ...args) {
      return capture.#end(args);
    };
    res.flushHeaders = function tiercelFlushHeaders() {
      capture.#commit();
      if (!capture.#diverted) Reflect.apply(flushHeaders, res, []);
    };
    res.destroy = function tiercelDestroy(/** @type {any[]} */ ...args) {
      // Node calls it for nobody: this is the handler.
      capture.#cutOff();
      return Reflect.apply(destroy, res, args);
    };
    this.#shield(res);
    if (res.req) this.#shield(res.req);
    // The connection ended, or the handler destroyed it, before end().
    res.once('close', () => this.#cutOff());
  }

  /**
   * Lets an emitter keep to itself that the client has gone, while others wait for the response: the handler would stop.
   * @param {import('node:events').EventEmitter} emitter
   */
  #shield(emitter) {
    const { emit } = emitter;
    const capture = this;
    emitter.emit = function tiercelEmit(/** @type {any[]} */ ...args) {
      const [event] = args;
      if (event === 'drain' && emitter === capture.#res) {
        clearTimeout(capture.#patience);
        capture.#patience = undefined;
        if (capture.#isBlocked) return true;
      }
      if ((event === 'close' || event === 'aborted' || event === 'error') && capture.#isWanted()) {
        if (!capture.#leftBehind && !hasLeft(capture.#res)) {
          capture.#cutOff();
          return Reflect.apply(emit, emitter, args);
        }
        if (capture.#held.length === 0) capture.#watchSocket();
        capture.#held.push(() => Reflect.apply(emit, emitter, args));
        return true;
      }
      return Reflect.apply(emit, emitter, args);
    };
  }

  /** The connection is dead; a handler that destroys it still, as Express does for a late error, gives up its response. */
  #watchSocket() {
    const { socket } = this.#res.req ?? {};
    if (!socket) return;
    const { destroy } = socket;
    socket.destroy = (/** @type {any[]} */ ...args) => {
      this.#cutOff();
      return Reflect.apply(destroy, socket, args);
    };
  }

  #isWanted() {
    return !this.#ended && (this.#chunks !== undefined || this.#overflowed) && this.#listener.isAwaited();
  }

  /** Nobody waits for the rest: the handler may hear that its client has gone. */
  release() {
    if (this.#isWanted()) return;
    for (const event of this.#held.splice(0)) event();
  }

  /**
   * @param {any[]} args
   * @returns {any}
   */
  #writeHead(args) {
    const res = this.#res;
    // Node throws, as it would without us.
    if (res.headersSent) return Reflect.apply(this.#lower.writeHead, res, args);
    if (this.#diverted) return res;
    const [statusCode, reason, fields] = args;
    // Who sets fields with the status sets them for it.
    res.statusCode = statusCode | 0;
    applyFields(res, typeof reason === 'string' ? fields : (fields ?? reason));
    // The status must be the one that Node will use: writeHead(200.9) is 200.
    this.#judge(statusCode | 0);
    if (this.#diverted) return res;
    // Every reader of a flat list, however old, understands a call without one.
    const result = Reflect.apply(
      this.#lower.writeHead,
      res,
      typeof reason === 'string' ? [statusCode, reason] : [statusCode],
    );
    this.#committed();
    return result;
  }

  /** Commits the head, as write() and end() would, but by writeHead(), which may also take the response away. */
  #commit() {
    const res = this.#res;
    if (!res.headersSent && !this.#diverted) res.writeHead(res.statusCode);
  }

  /**
   * @param {number} status
   * @returns {Verdict}
   */
  #judge(status) {
    if (this.#judged) return 'pass';
    this.#judged = true;
    const res = this.#res;
    /** @type {Verdict} */
    let verdict = 'pass';
    try {
      const head = ResponseHead.of(res, status);
      const length = head.get('content-length');
      this.#announced = length === undefined ? undefined : Number(length);
      const body = this.#last && (this.#last.body ?? Buffer.alloc(0));
      const fits = (body?.length ?? this.#announced ?? 0) <= this.#maxBytes;
      verdict = this.#listener.onHead(head, { fits, body });
    } catch {
      // A fault of the cache must not fail the response.
    }
    this.#recording = verdict === 'record' || verdict === 'absorb';
    this.#diverted = verdict === 'divert' || verdict === 'absorb';
    if (verdict === 'pass') this.#drop('refused');
    return verdict;
  }

  #committed() {
    if (!this.#recording) return;
    try {
      // Outer layers add their fields last (a session its cookie), and may forbid what looked storable.
      if (this.#listener.onCommitted(ResponseHead.of(this.#res, this.#res.statusCode))) return;
    } catch {
      // As above.
    }
    this.#drop('refused');
  }

  /**
   * @param {any[]} args
   * @returns {boolean}
   */
  #write(args) {
    const res = this.#res;
    const isRefused = typeof args[0] !== 'string' && !(args[0] instanceof Uint8Array);
    if (this.#ended || isRefused) return Reflect.apply(this.#lower.write, res, args);
    if (this.#isGone() && this.#isWanted()) return this.#writeForOthers(args);
    this.#commit();
    // Copied now: the caller may use its buffer again as soon as this write is done.
    const bytes = this.#isCopied() ? copyOf(args[0], args[1]) : undefined;
    if (this.#diverted) {
      if (this.#recording && bytes !== undefined) this.#keep(bytes);
      return swallow(args, true);
    }
    const result = Reflect.apply(this.#lower.write, res, args);
    const more = bytes === undefined || this.#keep(bytes);
    // The copy has its bounds: nobody is to wait for the client that happened to come first.
    if (this.#recording && this.#chunks !== undefined && this.#listener.isAwaited()) return true;
    if (!result && this.#isWanted()) this.#waitForOwn();
    return result && more;
  }

  /** Whether anybody has a use for a copy. */
  #isCopied() {
    // Too large to be kept, and nobody joins any more: when the last of those who read along has gone, it is only sent.
    if (this.#overflowed && !this.#listener.isAwaited()) this.#overflowed = false;
    return this.#chunks !== undefined || this.#overflowed;
  }

  /** The others must not wait for ever for a first client that reads nothing. */
  #waitForOwn() {
    if (this.#patience !== undefined) return;
    const res = this.#res;
    this.#patience = setTimeout(() => {
      if (!this.#isWanted() || this.#isGone()) return;
      this.#leftBehind = true;
      res.socket?.destroy();
      res.emit('drain');
    }, PATIENCE_MS);
    this.#patience.unref();
  }

  /** The others have caught up. */
  resume() {
    this.#isBlocked = false;
    // Its own client says so itself when it has.
    if (this.#isGone() || !this.#res.writableNeedDrain) this.#res.emit('drain');
  }

  /** Somebody else reads along from now on: the handler need not wait for its own client. */
  unblock() {
    if (this.#res.writableNeedDrain && this.#isWanted()) this.#res.emit('drain');
  }

  /** @param {any[]} args */
  #writeForOthers(args) {
    const res = this.#res;
    if (!this.#judged) {
      // Nobody is there to be sent a head, but those who wait need one.
      this.#judge(res.statusCode);
      if (this.#recording && !this.#listener.onCommitted(ResponseHead.of(res, res.statusCode))) this.#drop('refused');
    }
    const bytes = copyOf(args[0], args[1]);
    return swallow(args, bytes === undefined || this.#keep(bytes));
  }

  /**
   * @param {any[]} args
   * @returns {any}
   */
  #end(args) {
    const res = this.#res;
    if (this.#ended) return Reflect.apply(this.#lower.end, res, args);
    const given = typeof args[0] === 'function' ? [] : args;
    const last = copyOf(given[0], given[1]);
    // Not ended: Node refuses it, before the head is sent. The handler may try again.
    if (last === undefined && given[0]) return Reflect.apply(this.#lower.end, res, args);
    const gone = this.#isGone();
    if (gone && this.#isWanted()) return this.#endForOthers(args, last);
    this.#last = { body: last };
    try {
      if (!res.headersSent && !this.#diverted) {
        announceLength(res, last);
        this.#commit();
      }
      if (this.#diverted) return this.#endDiverted(args, last);
      this.#ended = true;
      return Reflect.apply(this.#lower.end, res, args);
    } catch (error) {
      // Not ended: an argument that Node refuses. The handler may try again.
      this.#ended = false;
      throw error;
    } finally {
      this.#last = undefined;
      if (this.#ended && !this.#diverted) this.#finish(last, gone);
    }
  }

  /**
   * @param {any[]} args
   * @param {Buffer | undefined} last
   */
  #endForOthers(args, last) {
    if (!this.#judged) this.#last = { body: last };
    this.#writeForOthers([last ?? Buffer.alloc(0)]);
    this.#last = undefined;
    this.#ended = true;
    if (this.#diverted && !this.#recording) this.#listener.onDiverted(undefined);
    else this.#finish(undefined, false);
    for (const event of this.#held.splice(0)) event();
    swallow(args, true);
    return this.#res;
  }

  /**
   * @param {any[]} args
   * @param {Buffer | undefined} last
   */
  #endDiverted(args, last) {
    const res = this.#res;
    if (this.#recording && last !== undefined) this.#keep(last);
    this.#ended = true;
    // As in #finish(): it is not what it was announced to be.
    if (this.#recording && this.#announced !== undefined && this.#announced !== this.#size) this.#drop('aborted');
    const chunks = this.#chunks;
    this.#chunks = undefined;
    this.#restore();
    swallow(args, true);
    this.#listener.onDiverted(this.#recording && chunks !== undefined ? Buffer.concat(chunks) : undefined);
    return res;
  }

  /** The response as it was before the handler got it. */
  #restore() {
    const res = this.#res;
    const { writeHead, write, end, flushHeaders, emit, destroy, owned, fields, status } = this.#lower;
    const methods = { writeHead, write, end, flushHeaders, emit, destroy };
    for (const [name, method] of Object.entries(methods)) {
      if (owned.has(name)) /** @type {any} */ (res)[name] = method;
      else delete (/** @type {any} */ (res)[name]);
    }
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (const [name, value] of fields) res.setHeader(name, value);
    res.statusCode = status;
    /** @type {any} */ (res).statusMessage = undefined;
  }

  /**
   * @param {Buffer | undefined} last
   * @param {boolean} gone whether the client had left before the end
   */
  #finish(last, gone) {
    if (last !== undefined) this.#keep(last);
    // https://www.rfc-editor.org/rfc/rfc9111.html#section-3.3: an incomplete message is not stored.
    const whole = !gone && this.#recording && (this.#announced === undefined || this.#announced === this.#size);
    if (this.#recording) this.#listener.onEnd(whole);
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    if (!whole) return this.#drop('aborted');
    this.#chunks = undefined;
    this.#listener.onComplete(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, this.#size));
  }

  /** The connection ended before the response did. */
  #cutOff() {
    if (this.#ended) return;
    if (this.#recording) this.#listener.onEnd(false);
    this.#overflowed = false;
    this.#drop('aborted');
    this.release();
  }

  #isGone() {
    return this.#res.destroyed || this.#res.socket?.destroyed === true;
  }

  /**
   * @param {Buffer} bytes
   * @returns {boolean} false: those who read along want no more just now
   */
  #keep(bytes) {
    if (bytes.length === 0 || (this.#chunks === undefined && !this.#overflowed)) return true;
    this.#size += bytes.length;
    if (this.#chunks !== undefined && this.#size > this.#maxBytes) {
      this.#overflowed = this.#recording && this.#listener.isAwaited();
      this.#drop('too-large');
    }
    this.#chunks?.push(bytes);
    this.#isBlocked = this.#recording && this.#listener.onChunk(bytes) === false;
    return !this.#isBlocked;
  }

  /** @param {'refused' | 'too-large' | 'aborted'} reason */
  #drop(reason) {
    if (this.#chunks === undefined) return;
    this.#chunks = undefined;
    this.#recording = this.#overflowed;
    this.#listener.onDropped(reason);
    this.release();
  }
}

/** @typedef {ResponseRecorder} ResponseRecorderInstance */

module.exports = { ResponseRecorder };
