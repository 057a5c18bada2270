'use strict';
// The context of one GET or HEAD request on its way through the cache.

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

/** What the client asked for: the request object itself may be changed for the handler. */
class Asked {
  /** @param {IncomingMessage} req */
  constructor(req) {
    this.method = req.method;
    this.headers = req.headers;
    this.rawHeaders = req.rawHeaders;
  }
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
    this.asked = /** @type {IncomingMessage} */ (/** @type {unknown} */ (new Asked(req)));
    if (target.req === req) target.req = this.asked;
    this.target = target;
  }
}

/** @typedef {RequestContext} RequestContextInstance */

module.exports = { RequestContext };
