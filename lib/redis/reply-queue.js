'use strict';
// The promises that wait for replies, oldest first, in a ring. Each has a ticket, which both sides count by themselves:
// the native side settles the oldest ones, and says which they are. It calls `deliver` once per socket read, with as many
// values as there were replies.
const { RedisError } = require('../errors');

/** @typedef {(value: any) => void} Settle */

// A promise's functions, on their way out of the executor: one shared function instead of a closure per command.
/** @type {Settle} */
let resolveLast;
/** @type {Settle} */
let rejectLast;
/**
 * @param {Settle} resolve
 * @param {Settle} reject
 */
function capture(resolve, reject) {
  resolveLast = resolve;
  rejectLast = reject;
}

const OUT_OF_PLACE = 'an answer came out of place';

function createReplyQueue() {
  let mask = 63;
  /** @type {Array<Settle | undefined>} */
  let resolves = new Array(mask + 1).fill(undefined);
  /** @type {Array<Settle | undefined>} */
  let rejects = new Array(mask + 1).fill(undefined);
  /** @type {Array<string | undefined>} */
  let names = new Array(mask + 1).fill(undefined);
  let head = 0;
  let size = 0;
  let first = 0; // the ticket of the oldest, in 32 bits
  // How many commands the native side took: the tickets that it gave.
  const submitted = new Uint32Array(1);
  /** @type {() => void} told when the native side answers something else than the oldest */
  let onMismatch = () => {};

  function grow() {
    const next = (mask + 1) * 2;
    const unroll = (/** @type {any[]} */ ring) => {
      const larger = new Array(next).fill(undefined);
      for (let i = 0; i < size; i++) larger[i] = ring[(head + i) & mask];
      return larger;
    };
    resolves = unroll(resolves);
    rejects = unroll(rejects);
    names = unroll(names);
    head = 0;
    mask = next - 1;
  }

  // Takes the oldest off.
  function drop() {
    resolves[head] = undefined;
    rejects[head] = undefined;
    head = (head + 1) & mask;
    size--;
    first = (first + 1) >>> 0;
  }

  // Nobody knows any more which answer is whose: a wrong one is worse than none.
  function rejectAll(/** @type {string} */ message) {
    while (size > 0) {
      const name = names[head];
      const reject = /** @type {Settle} */ (rejects[head]);
      drop();
      reject(new RedisError('PROTOCOL_ERROR', `${name}: ${message}`, name));
    }
    // What the native side still says of them is old.
    first = submitted[0];
  }

  function mismatched() {
    rejectAll(OUT_OF_PLACE);
    onMismatch();
  }

  return {
    /**
     * The promise of a command that was just submitted.
     * @param {string} name of the command
     * @returns {Promise<any>}
     */
    next(name) {
      if (submitted[0] !== (first + size + 1) >>> 0) {
        mismatched();
        return Promise.reject(new RedisError('PROTOCOL_ERROR', `${name}: ${OUT_OF_PLACE}`, name));
      }
      if (size > mask) grow();
      const promise = new Promise(capture);
      const at = (head + size++) & mask;
      resolves[at] = resolveLast;
      rejects[at] = rejectLast;
      names[at] = name;
      return promise;
    },

    get length() {
      return size;
    },

    /** @param {() => void} listener */
    set onMismatch(listener) {
      onMismatch = listener;
    },

    // What the native side calls. None of these may throw.
    callbacks: {
      submitted,

      /**
       * @param {number} ticket of the first of them
       * @param {...any} values
       */
      deliver(ticket, ...values) {
        const old = (first - ticket) | 0;
        if (old < 0 || values.length - old > size) return mismatched();
        for (let i = old; i < values.length; i++) {
          const settle = /** @type {Settle} */ (resolves[head]);
          resolves[head] = undefined;
          rejects[head] = undefined;
          head = (head + 1) & mask;
          size--;
          settle(values[i]);
        }
        if (old < values.length) first = (ticket + values.length) >>> 0;
      },

      /**
       * @param {number} ticket
       * @param {string} code '' when `message` is an error reply
       * @param {string} message
       * @param {Error} [cause]
       */
      fail(ticket, code, message, cause) {
        const old = (first - ticket) | 0;
        if (old > 0) return;
        if (old < 0 || size === 0) return mismatched();
        const reject = /** @type {Settle} */ (rejects[head]);
        const name = names[head];
        drop();
        reject(
          code === ''
            ? RedisError.fromReply(message, name)
            : new RedisError(code, `${name}: ${message}`, name, cause && { cause }),
        );
      },

      /**
       * It keeps its place until its answer comes.
       * @param {number} ticket
       * @param {string} [unsent] why there was no connection to send it on
       * @param {Error} [cause] of that
       */
      expire(ticket, unsent, cause) {
        const behind = (ticket - first) | 0;
        if (behind < 0 || behind >= size) return; // rejected with all others
        const at = (head + behind) & mask;
        const name = names[at];
        const reject = /** @type {Settle} */ (rejects[at]);
        const message =
          unsent === undefined
            ? 'no answer within the command timeout'
            : `no connection within the command timeout: ${unsent}`;
        reject(new RedisError('COMMAND_TIMEOUT', `${name}: ${message}`, name, unsent && cause ? { cause } : undefined));
      },

      /** @param {string} message */
      broken(message) {
        rejectAll(message);
      },
    },
  };
}

/** @typedef {ReturnType<typeof createReplyQueue>} ReplyQueue */

module.exports = { createReplyQueue };
