'use strict';
// The response to a POST as the stored response to later GETs, when it says that it is one: by a Content-Location that is
// its own URL, and explicit freshness. https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.3

const { ResponseRecorder } = require('../record/response-recorder');
const { directivesOf, explicitLifetime } = require('../rfc/freshness');
const { judge } = require('../rfc/policy');
const { toStoredResponse } = require('./stored-response');
const { varyNames } = require('../rfc/vary');

/** @typedef {import('../record/request-context').RequestContextInstance} RequestContext */
/** @typedef {import('../serve/response-head').Head} Head */
/** @typedef {import('../rfc/policy').Judgement} Judgement */

const MOST_TRIES = 3;
/** @type {ReadonlyMap<string, string>} */
const NOTHING = new Map();

/**
 * The lease of what a GET of the same URL would be answered from, before the handler runs.
 * @param {import('./response-store').ResponseStoreInstance} store
 * @param {import('./response-store').Target} target
 * @param {number} leaseFor
 */
async function leaseOf(store, target, leaseFor) {
  let { slot } = store.peek(target);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const taken = await store.acquire(target, slot, { leaseFor, tags: [] });
    if (taken.lease !== undefined || taken.found === undefined) return taken;
    const renewed = await store.renew(taken.slot, { leaseFor, tags: [] });
    if (renewed.lease !== undefined) return renewed;
    slot = { ...taken.slot, occupied: false };
  }
  return { slot, lease: undefined };
}

/**
 * Runs the handler of a POST, and stores its response if it is one to be stored. A lease beside the URL's own says whether
 * anything has changed since the handler began; the URL's own would make every GET wait for the POST.
 * @param {RequestContext} exchange
 * @param {import('../mount').MountInstance} mount
 * @param {{ isOwnUrl: (head: Head) => boolean, onHead: (head: Head, stored: boolean) => void }} hooks
 */
async function runPost(exchange, { options, store }, { isOwnUrl, onHead }) {
  const { res, asked, target, forward } = exchange;
  const guard = await store.guard(target.base, options.leaseFor);
  const sent = performance.now();
  /** @type {{ head: Head, judgement: Judgement, names: string[] } | undefined} */
  let kept;
  const judged = (/** @type {Head} */ head) => {
    const names = varyNames(head.get('vary'), target.required);
    const context = { identified: target.identity !== undefined, vary: new Set(names) };
    const delay = performance.now() - sent;
    return { head, names, judgement: judge(head, asked, options.rules, { ...context, now: Date.now(), delay }) };
  };
  /** @param {import('./stored-response').StoredResponse} stored */
  const save = async (stored) => {
    const { names } = /** @type {NonNullable<typeof kept>} */ (kept);
    const { slot, lease } = await leaseOf(store, target, options.leaseFor);
    // In this order: what was invalidated before the second lease, the first one knows.
    const stands = lease !== undefined && (await guard?.stands([]));
    if (stands) await store.save(target, slot, lease, stored, { names, tags: [], keep: options.rules.retain });
    else void lease?.giveUp();
  };
  new ResponseRecorder(res, options.maxBodyBytes, {
    onHead(head, { fits }) {
      const control = directivesOf(head, options.rules.targets);
      const explicit = explicitLifetime(head, control, Date.now()) ?? 0;
      const candidate = judged(head);
      const storable = fits && head.status === 200 && explicit > 0 && candidate.judgement.refused === undefined;
      if (guard !== undefined && storable && isOwnUrl(head)) kept = candidate;
      onHead(head, kept !== undefined);
      return kept === undefined ? 'pass' : 'record';
    },
    onCommitted: (head) => judged(head).judgement.refused === undefined,
    onComplete(body) {
      const { head, judgement } = /** @type {NonNullable<typeof kept>} */ (kept);
      const stored = toStoredResponse({ head, message: '', body, outer: NOTHING }, judgement, Date.now());
      void save(stored)
        .catch(() => {})
        .finally(() => guard?.giveUp());
    },
    onDropped: () => void guard?.giveUp(),
    onChunk() {},
    onEnd() {},
    onDiverted() {},
    isAwaited: () => false,
  });
  queueMicrotask(forward);
}

module.exports = { runPost };
