'use strict';
// Runs the handler for one exchange: gives it the conditions by which what is stored is revalidated, watches its response,
// and decides by the head what becomes of it: stored, merely sent, or replaced by what was stored.

const { STATUS_CODES } = require('node:http');
const { offerCacheTags, tagsOf } = require('./cache-tags');
const { ResponseRecorder } = require('./response-recorder');
const { compressed } = require('../storage/compress');
const { conditionsForRest, isRestOf } = require('../storage/complete-partial');
const {
  isNotModified,
  replaceCoding,
  replaceConditions,
  revalidationConditions,
  hasConditions,
} = require('../rfc/conditional');
const { addStatus, appendTo } = require('../rfc/cache-status');
const { watchDeclared } = require('../rfc/freshness');
const policy = require('../rfc/policy');
const { partOf } = require('../rfc/range');
const { ResponseHead, fieldsOf, isHeadOf, validatorsOf } = require('../serve/response-head');
const { setFlat } = require('./response-methods');
const {
  asUsable,
  etagOf,
  languageOf,
  revalidated,
  toStoredResponse,
  updatedHead,
} = require('../storage/stored-response');
const { selectorOf, varyNames } = require('../rfc/vary');

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./request-context').RequestContextInstance} RequestContext */
/** @typedef {import('../serve/response-head').Head} Head */
/** @typedef {import('../rfc/policy').Judgement} Judgement */
/** @typedef {import('../storage/stored-response').StoredResponse} StoredResponse */
/** @typedef {import('./response-recorder').Verdict} Verdict */

/** @typedef {import('../types').Right} Right */

const EMPTY = Buffer.alloc(0);
const NO_HEAD = new ResponseHead(0, []);

/** It listens to its recorder: what that calls is not private. */
class HandlerRun {
  #mount;
  #options;
  #exchange;
  #right;
  /** @type {Map<string, string>} fields that were set before the request reached this layer, with their lines */
  #outer;
  /** Our conditions are on the request, and a 304 answers them. */
  #revalidating = false;
  /** The rest of a stored part was asked for. */
  #completing = false;
  /** The client's conditions are not: we judge them. */
  #stripped = false;
  /** @type {Head} */
  #head = NO_HEAD;
  /** The whole body was known with the head: there is nothing to stream. */
  #isWhole = false;
  /** @type {Judgement | undefined} */
  #judgement;
  /** @type {string | undefined} Vary of the head that was judged */
  #judgedVary;
  /** @type {readonly string[]} */
  #names = [];
  /** @type {readonly string[]} */
  #tags = [];
  #delay = 0;
  /** @type {'validated' | 'error' | 'condition' | 'rest' | 'unfit' | undefined} why the response is diverted */
  #diversion;
  #done = false;
  #sent = performance.now();
  #declared;

  /**
   * @param {import('../mount').MountInstance} mount
   * @param {RequestContext} exchange
   * @param {Right} right
   */
  constructor(mount, exchange, right) {
    this.#mount = mount;
    this.#options = mount.options;
    this.#exchange = exchange;
    this.#right = right;
    this.#outer = fieldsOf(exchange.res);
    this.#declared = watchDeclared(exchange.res, mount.options.rules.targets);
  }

  start() {
    const { req, res, forward } = this.#exchange;
    const { flight } = this.#right;
    this.#setConditions();
    const { coding } = this.#exchange.target;
    if (coding !== undefined && this.#right.lease !== undefined) replaceCoding(req, coding);
    const capture = new ResponseRecorder(res, this.#options.maxBodyBytes, this);
    if (flight !== undefined) flight.capture = capture;
    offerCacheTags(req, res);
    // From here on: what is above reads all header fields.
    if (this.#right.lease !== undefined) this.#mount.unkeyed?.watch(this.#exchange);
    // Out of the promise: what the app throws stays an uncaught exception, as it would be without us.
    queueMicrotask(forward);
  }

  #setConditions() {
    const { req, asked, stale, part } = this.#exchange;
    if (req.method !== 'GET' || asked.headers.range !== undefined) return;
    const rest = part === undefined || this.#right.lease === undefined ? undefined : conditionsForRest(part);
    if (rest !== undefined) {
      this.#completing = true;
      this.#stripped = true;
      return replaceConditions(req, rest);
    }
    const conditions = stale === undefined ? {} : revalidationConditions(stale.metadata);
    this.#revalidating = Object.keys(conditions).length > 0;
    // Only a whole response can be stored. Where nothing is to be, the handler judges the client's conditions itself.
    this.#stripped = this.#right.lease !== undefined && (this.#revalidating || hasConditions(req));
    if (this.#stripped) replaceConditions(req, conditions);
    else this.#revalidating = false;
  }

  /**
   * @param {Head} head
   * @param {{ fits: boolean, body: Buffer | undefined }} known
   * @returns {Verdict}
   */
  onHead(head, { fits, body }) {
    const options = this.#options;
    const { req, res, asked, stale, started } = this.#exchange;
    const { lease, flight } = this.#right;
    this.#mount.unkeyed?.stop(this.#exchange);
    this.#delay = performance.now() - this.#sent;
    this.#head = head;
    this.#isWhole = body !== undefined;
    if (stale !== undefined) {
      if (this.#revalidating && head.status === 304) return this.#divert('validated');
      if (policy.maySpareError(this.#agedStale(), head.status, options.rules)) return this.#divert('error');
      // https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.5
      if (req.method === 'HEAD' && head.status === 200 && !isHeadOf(stale, head)) {
        this.#mount.store.remove(this.#exchange.target.base).catch(() => {});
      }
    }
    this.#names = varyNames(head.get('vary'), this.#exchange.target.required);
    this.#judgement = this.#judge(head);
    this.#judgedVary = head.get('vary');
    if (this.#completing && (head.status === 206 || head.status === 416)) {
      const { part } = this.#exchange;
      return this.#divert(part !== undefined && fits && isRestOf(part, head) ? 'rest' : 'unfit');
    }
    const refused = this.#refusal(head, fits);
    const storable = lease !== undefined && refused === undefined;
    // https://www.rfc-editor.org/rfc/rfc9110.html#section-13.2.1: what the handler would have done.
    const known = fits && (body !== undefined || head.has('content-length'));
    if (this.#stripped && known && isNotModified(asked, validatorsOf(head), options.rules.lenientDates)) {
      if (!storable) this.#refuse(refused);
      return this.#divert('condition');
    }
    if (storable) this.#completeHead(head, body);
    // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.5, as far as can be told before the body is complete.
    const kept = storable && lease.isFillable;
    addStatus(res, `${options.name}; fwd=${this.#exchange.fwd}${kept ? '; stored' : ''}`);
    if (options.serverTiming) appendTo(res, 'Server-Timing', `${options.name};desc="fwd=${this.#exchange.fwd}"`);
    this.#mount.metrics.count(req, 'miss', { status: head.status, reason: refused, started });
    if (storable || (flight !== undefined && refused === undefined)) return 'record';
    this.#refuse(refused);
    return 'pass';
  }

  /**
   * Why this response is not stored.
   * @param {Head} head
   * @param {boolean} fits
   */
  #refusal(head, fits) {
    const { req, asked } = this.#exchange;
    if (req.method !== 'GET') return 'method';
    if (!fits) return 'too-large';
    // Not to be had as a whole.
    if (head.status === 206 && asked.headers.range === undefined) return 'status';
    if (head.status === 206 && partOf(head.get('content-range')) === undefined) return 'content-range';
    if (asked.headers.range !== undefined && head.status !== 206) return 'range';
    if (this.#judgement?.refused !== undefined) return this.#judgement.refused;
    if (!this.#declared.isOf(head)) return 'status';
    const tags = tagsOf(req, head, this.#options);
    if (tags === undefined) return 'tags';
    this.#tags = tags;
    return undefined;
  }

  /** @param {Head} head */
  #judge(head) {
    const options = this.#options;
    const { asked, target } = this.#exchange;
    return policy.judge(head, asked, options.rules, {
      now: Date.now(),
      delay: this.#delay,
      identified: target.identity !== undefined,
      vary: new Set(varyNames(head.get('vary'), options.rules.vary)),
    });
  }

  /**
   * @param {'validated' | 'error' | 'condition' | 'rest' | 'unfit'} why
   * @returns {Verdict}
   */
  #divert(why) {
    this.#diversion = why;
    return why === 'condition' || why === 'rest' ? 'absorb' : 'divert';
  }

  /** What is stale, as old as it is now. */
  #agedStale() {
    const { stale, started } = this.#exchange;
    const { payload, metadata, age, softened } = /** @type {import('../storage/stored-response').Usable} */ (stale);
    return { payload, metadata, age: age + performance.now() - started, softened };
  }

  /**
   * Gives a response that is to be stored the fields that its later readers will see, so that the first reader does too.
   * @param {Head} head
   * @param {Buffer | undefined} body when it is known before the head is sent
   */
  #completeHead(head, body) {
    const { res, target } = this.#exchange;
    if (target.coding !== undefined && !varyNames(head.get('vary'), []).includes('accept-encoding')) {
      appendTo(res, 'Vary', 'Accept-Encoding');
    }
    // https://www.rfc-editor.org/rfc/rfc9110.html#section-6.6.1: Node would add its own when it sends.
    if (res.sendDate && !head.has('date')) res.setHeader('Date', new Date().toUTCString());
    if (body !== undefined && head.status === 200 && !head.has('etag')) res.setHeader('ETag', etagOf(body));
    this.#head = ResponseHead.of(res, head.status);
  }

  /**
   * @param {Head} head
   * @returns {boolean}
   */
  onCommitted(head) {
    const { flight } = this.#right;
    if (!this.#isJudged(head)) this.#judgement = this.#judge(head);
    if (this.#judgement?.refused !== undefined) return false;
    this.#mount.uncacheable.delete(this.#exchange.target.base);
    if (flight !== undefined && !this.#isWhole && !this.#exchange.res.writableEnded) this.#stream(flight, head);
    return true;
  }

  /**
   * Whether the judgement holds for the head as it was sent: outer layers may have completed it.
   * @param {Head} head
   */
  #isJudged(head) {
    return this.#judgedVary === head.get('vary') && policy.isSameToJudge(head, this.#head, this.#options.rules);
  }

  /**
   * @param {Buffer} chunk
   * @returns {boolean}
   */
  onChunk(chunk) {
    const { flight } = this.#right;
    return flight === undefined || flight.push(chunk, !this.#done);
  }

  /** @param {boolean} whole */
  onEnd(whole) {
    this.#right.flight?.endStream(whole);
  }

  isAwaited() {
    return this.#right.flight?.isAwaited === true;
  }

  /**
   * Lets those who wait read along.
   * @param {import('../flow/collapse').StartedFlight} flight
   * @param {Head} head
   */
  #stream(flight, head) {
    // What is ended in the same turn is better sent as a whole.
    queueMicrotask(() => {
      if (this.#done) return;
      const { metadata } = toStoredResponse(
        { head: this.#head, message: this.#message(), body: EMPTY, outer: this.#outer },
        /** @type {Judgement} */ (this.#judgement),
        Date.now(),
        false,
      );
      const length = head.get('content-length');
      const list = length === undefined ? metadata.head : [...metadata.head, 'Content-Length', length];
      flight.stream(this.#shared(), (/** @type {ServerResponse} */ res) => {
        try {
          // As for a hit: what the handler set replaces what layers outside of us have set.
          setFlat(res, list);
          addStatus(res, `${this.#options.name}; fwd=${this.#exchange.fwd}; collapsed`);
          if (metadata.message) res.writeHead(metadata.status, metadata.message);
          else res.writeHead(metadata.status);
          return true;
        } catch {
          return false;
        }
      });
    });
  }

  /** @returns {import('../flow/collapse').Shared} */
  #shared() {
    const { target } = this.#exchange;
    return { names: this.#names, selector: selectorOf(this.#names, target.req, target.identity) };
  }

  #message() {
    const { statusMessage } = this.#exchange.res;
    return statusMessage === STATUS_CODES[this.#head.status] ? '' : (statusMessage ?? '');
  }

  /** @param {Buffer} body */
  onComplete(body) {
    this.#save(this.#stored(body));
  }

  /**
   * @param {Buffer} body
   * @returns {StoredResponse}
   */
  #stored(body) {
    const judgement = /** @type {Judgement} */ (this.#judgement);
    const parts = { head: this.#head, message: this.#message(), body, outer: this.#outer };
    const stored = toStoredResponse(parts, judgement, Date.now(), this.#head.status === 200);
    const part = this.#head.status === 206 ? partOf(this.#head.get('content-range')) : undefined;
    if (part !== undefined) stored.metadata.part = part;
    return stored;
  }

  /**
   * @param {StoredResponse} stored
   * @returns {boolean} whether it is on its way into the cache
   */
  #save(stored) {
    this.#done = true;
    const { store, flights, options, unkeyed } = this.#mount;
    const { target } = this.#exchange;
    const { slot, lease, flight } = this.#right;
    if (stored.metadata.part === undefined) flight?.finish({ end: 'stored', shared: this.#shared(), stored });
    const end = () => flight && flights.remove(flight);
    if (lease === undefined) {
      end();
      return false;
    }
    unkeyed?.check(this.#exchange, this.#names);
    const validators = stored.metadata.etag !== '' || stored.metadata.modified !== '';
    const { swr, sie, flags } = stored.metadata;
    const { retain, staleIfDisconnected } = options.rules;
    const keep = Math.max(swr, sie, validators ? retain : 0, policy.mayServeStale(flags) ? staleIfDisconnected : 0);
    const language = this.#names.includes('accept-language') ? languageOf(stored) : undefined;
    // Until it is written, requests are answered from the flight.
    const more = { names: this.#names, language, tags: this.#tags, keep };
    const { coding } = target;
    const ready = coding === undefined ? Promise.resolve(stored) : compressed(stored, coding).catch(() => stored);
    ready.then((final) => store.save(target, slot, lease, final, more)).then(end, end);
    return true;
  }

  /** @param {Buffer | undefined} body of a response that was absorbed */
  onDiverted(body) {
    const why = this.#diversion;
    if (why === 'validated') return this.#onValidated();
    if (why === 'error') return this.#onSpared();
    if (why === 'unfit' || (why === 'rest' && body === undefined)) return this.#onUnfit();
    if (why === 'rest') return this.#onRest(/** @type {Buffer} */ (body));
    const stored = this.#stored(body ?? EMPTY);
    const isKept = !this.#done && body !== undefined && this.#save(stored);
    const how = `fwd=${this.#exchange.fwd}${isKept ? '; stored' : ''}`;
    this.#answer(asUsable(stored, Date.now()), how, '');
  }

  /** The handler says that what is stored is still right. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.3.3 */
  #onValidated() {
    const stale = this.#agedStale();
    const head = updatedHead(stale.metadata, this.#head, this.#outer);
    if (!this.#head.has('date')) head.set('Date', [new Date().toUTCString()]);
    this.#names = varyNames(head.get('vary'), this.#exchange.target.required);
    const judgement = this.#judge(head);
    this.#judgement = judgement;
    const tags = judgement.refused === undefined ? tagsOf(this.#exchange.req, head, this.#options) : undefined;
    const stored = revalidated(stale, head, judgement, Date.now());
    if (tags === undefined) this.#refuse(judgement.refused ?? 'tags');
    else {
      this.#tags = tags;
      this.#save(stored);
    }
    // https://www.rfc-editor.org/rfc/rfc9211.html#section-2.3
    this.#answer(asUsable(stored, Date.now()), `fwd=stale; fwd-status=304${tags ? '; stored' : ''}`, 'revalidated');
  }

  /**
   * The rest of what was stored in part.
   * @param {Buffer} rest
   */
  #onRest(rest) {
    const { payload, metadata } = /** @type {import('../storage/stored-response').Usable} */ (this.#exchange.part);
    const head = updatedHead({ ...metadata, status: 200 }, this.#head, this.#outer);
    head.delete('content-range');
    const judgement = (this.#judgement = this.#judge(head));
    const whole = Buffer.concat([payload, rest]);
    const parts = { head, message: '', body: whole, outer: this.#outer };
    const stored = toStoredResponse(parts, judgement, Date.now(), false);
    const refused = judgement.refused ?? (whole.length === metadata.part?.[1] ? undefined : 'content-range');
    if (refused !== undefined && refused === judgement.refused) this.#refuse(refused);
    else if (refused !== undefined) return this.#onUnfit();
    else this.#save(stored);
    this.#answer(asUsable(stored, Date.now()), `fwd=partial${refused ? '' : '; stored'}`, 'miss');
  }

  /** A part that cannot be put together with what is stored: the client asked for the whole, and gets it. */
  #onUnfit() {
    const { lease } = this.#right;
    void lease?.giveUp();
    this.#finish('refused');
    this.#mount.revalidation.forClient(this.#exchange);
  }

  /** Something stale is better than this error. https://www.rfc-editor.org/rfc/rfc5861.html#section-4 */
  #onSpared() {
    const { lease, flight, slot } = this.#right;
    const stale = this.#agedStale();
    void lease?.giveUp();
    // Good for those who wait, too: each would ask the handler that has just failed.
    this.#names = slot.variant ? (slot.marker?.names ?? []) : [];
    const { payload, metadata, age } = stale;
    flight?.finish({ end: 'stored', shared: this.#shared(), stored: { payload, metadata, created: Date.now() - age } });
    this.#finish('refused');
    this.#answer(stale, `fwd=stale; fwd-status=${this.#head.status}; detail=stale-if-error`, 'stale-if-error');
  }

  /**
   * @param {import('../storage/stored-response').Usable} stored
   * @param {string} how
   * @param {string} outcome
   */
  #answer(stored, how, outcome) {
    const { req, res, started } = this.#exchange;
    if (outcome === 'miss') this.#mount.metrics.count(req, 'miss', { status: stored.metadata.status, started });
    if (this.#mount.responder.send(this.#exchange, stored, how, outcome)) return;
    // Cannot happen with what was served before: but no client is left without a response.
    if (!res.headersSent) res.writeHead(502);
    res.end();
  }

  /** @param {'refused' | 'too-large' | 'aborted'} reason */
  onDropped(reason) {
    if (reason === 'aborted') {
      void this.#right.lease?.giveUp();
      this.#finish('aborted');
    } else this.#refuse(reason === 'too-large' ? reason : (this.#judgement?.refused ?? reason));
  }

  /**
   * The response is not to be stored: nobody is to wait for it.
   * @param {string | undefined} reason
   */
  #refuse(reason) {
    if (this.#done) return;
    this.#done = true;
    const { uncacheable, store, flights, options } = this.#mount;
    const { stale, target } = this.#exchange;
    const { lease, flight } = this.#right;
    const { status } = this.#head;
    // An error says nothing about the next answer, nor does a response that is too large for its request alone.
    const isOfRequest = policy.OF_REQUEST.has(reason ?? '');
    const lasting = status < 500 && status !== 206 && !isOfRequest;
    if (lasting && lease !== undefined) uncacheable.add(target.base);
    if (reason === 'authorization' || reason === 'cookie') uncacheable.add(policy.personalKey(target.base));
    void lease?.giveUp(lasting ? options.hitForMiss : 0);
    if (reason === 'too-large' && flight?.isAwaited) {
      // Those who read along go on; nobody joins them.
      flight.overtaken = true;
      flights.remove(flight);
    } else this.#finish('refused');
    // It has been replaced by something that is not to be stored.
    if (stale !== undefined && lease !== undefined && status < 500 && !isOfRequest && this.#diversion !== 'condition') {
      store.remove(target.base).catch(() => {});
    }
  }

  /** @param {'refused' | 'aborted'} end */
  #finish(end) {
    const { flight } = this.#right;
    this.#done = true;
    if (flight === undefined) return;
    flight.finish({ end });
    this.#mount.flights.remove(flight);
  }
}

/**
 * @param {import('../mount').MountInstance} mount
 * @param {RequestContext} exchange
 * @param {Right} right
 */
function runHandler(mount, exchange, right) {
  if (right.flight !== undefined) right.flight.lease = right.lease;
  new HandlerRun(mount, exchange, right).start();
}

module.exports = { runHandler };
