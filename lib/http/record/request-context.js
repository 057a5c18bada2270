'use strict';
// The context of one GET or HEAD request on its way through the cache, and the mark of a request of our own.

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

/** On a request of our own: who waits for it to come by. */
const OURS = Symbol('tiercel.ours');

/**
 * @param {IncomingMessage} req of our own
 * @param {object} mount that waits for it
 * @param {(forward: () => void) => void} proceed
 */
function markOurs(req, mount, proceed) {
  /** @type {any} */ (req)[OURS] = { mount, proceed };
}

/**
 * Whether a request is one of ours, which is not to be answered again; if so, it has been sent on.
 * @param {IncomingMessage} req
 * @param {object} mount that it has come to
 * @param {() => void} forward
 */
function isOurs(req, mount, forward) {
  const ours = /** @type {{ [OURS]?: { mount: object, proceed: (forward: () => void) => void } }} */ (req)[OURS];
  if (ours === undefined) return false;
  if (ours.mount === mount) ours.proceed(forward);
  else forward();
  return true;
}

class RequestContext {
  /** Why it is forwarded. https://www.rfc-editor.org/rfc/rfc9211.html#section-2.2 */
  fwd = 'uri-miss';
  /** How often it waited for somebody else. */
  waits = 0;
  /** Runs for nobody: its response only refreshes what is stored. */
  background = false;
  /** @type {import('../storage/stored-response').Usable | undefined} what it may be answered from if the handler cannot */
  stale = undefined;
  /** @type {import('../storage/stored-response').Usable | undefined} what is stored is a part, of which the rest is wanted */
  part = undefined;
  /** @type {import('../flow/background-revalidation').Rerun | undefined} */
  rerun = undefined;
  started = performance.now();

  /**
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {() => void} forward runs the rest of the app
   * @param {import('../storage/response-store').Target} target
   * @param {number} depth how many mounts it has passed
   */
  constructor(req, res, forward, target, depth) {
    this.req = req;
    this.res = res;
    this.forward = forward;
    this.depth = depth;
    const { method, headers, rawHeaders } = req;
    /** What the client asked for: the request object itself may be changed for the handler. */
    this.asked = /** @type {IncomingMessage} */ ({ method, headers, rawHeaders });
    if (target.req === req) target.req = this.asked;
    this.target = target;
  }
}

/** @typedef {RequestContext} RequestContextInstance */

module.exports = { RequestContext, isOurs, markOurs };
