'use strict';
// Store: where the response to a request is kept. Under the key of a URL stands its response, or, when its responses vary, a
// marker: the selecting fields and a generation, under which each variant has a key of its own. Whatever removes what
// stands under the URL makes every variant unreachable, in one step and in every process.

const { randomBytes } = require('node:crypto');
const { ParsedResponses } = require('./parsed-responses');
const { isMarker, isStoredResponse } = require('./stored-response');
const { IDENTITY, selectorOf, valueOf, wantedLanguage } = require('../rfc/vary');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('./stored-response').Marker} Marker */
/** @typedef {import('./stored-response').StoredResponse} StoredResponse */
/** @typedef {import('./stored-response').Usable} Usable */
/** @typedef {import('../../store/byte-entries').ByteEntriesInstance} ByteEntries */
/** @typedef {import('../../store/lease').LeaseInstance} Lease */

/** @typedef {import('../types').Target} Target */

/** @typedef {import('../types').Slot} Slot */

/** @typedef {{ slot: Slot, found: Usable | undefined }} Place */

const EMPTY = Buffer.alloc(0);
// Changes with every tag invalidation: which tags a response has is known only when it is there.
const ANY_TAG = ['a'];
// A purge looks again at a marker that changes under its hands.
const MOST_TRIES = 4;

/** @param {string} base */
const guardKeyOf = (base) => `${base}\nPOST`;

/** @param {string} base */
function emptySlot(base) {
  return { key: base, marker: undefined, variant: false, occupied: false };
}

const newId = () => randomBytes(9).toString('base64url');

class ResponseStore {
  #entries;
  #kept;

  /** @param {ByteEntries} entries */
  constructor(entries) {
    this.#entries = entries;
    this.#kept = new ParsedResponses(entries);
  }

  /**
   * What memory knows.
   * @param {Target} target
   * @returns {Place}
   */
  peek(target) {
    try {
      const base = this.#kept.get(target.base);
      const slot = slotOf(base?.metadata, target);
      if (!slot.variant) return { slot, found: slot.occupied ? undefined : usable(base) };
      const found = usable(this.#kept.get(slot.key));
      if (found !== undefined) return { slot, found: inGeneration(found, slot) };
      const other = languageSlot(slot, target);
      const instead = other && usable(this.#kept.get(other.key));
      return other && instead ? { slot: other, found: inGeneration(instead, other) } : { slot, found: undefined };
    } catch {
      // A closed cache holds nothing.
      return { slot: emptySlot(target.base), found: undefined };
    }
  }

  /**
   * What Redis knows. Does not reject because of Redis.
   * @param {Target} target
   * @returns {Promise<Place>}
   */
  async read(target) {
    const base = await this.#entries.read(target.base);
    const slot = slotOf(base?.metadata, target);
    if (!slot.variant) return { slot, found: slot.occupied ? undefined : usable(base) };
    const found = usable(await this.#entries.read(slot.key));
    return { slot, found: found && inGeneration(found, slot) };
  }

  /**
   * The response, or the right to fill its place. Looks at Redis; waits for somebody else's lease until `until`.
   * @param {Target} target
   * @param {Slot} slot as peek() gave it
   * @param {{ leaseFor: number, tags: readonly string[], until?: number }} options
   * @returns {Promise<{ slot: Slot, found?: Usable, lease?: Lease, reason?: string }>}
   */
  async acquire(target, slot, { leaseFor, tags, until }) {
    const options = { leaseFor, tags: [...tags, ...ANY_TAG], until };
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const outcome = slot.occupied
        ? await this.#entries.renew(slot.key, options)
        : await this.#entries.acquire(slot.key, options);
      if (outcome.lease !== undefined) return { slot, lease: outcome.lease };
      const { entry } = outcome;
      if (entry === undefined) {
        const { reason } = /** @type {{ reason: string }} */ (outcome);
        if (reason !== 'gone') return { slot, reason };
        slot = emptySlot(target.base);
        continue;
      }
      if (slot.variant) {
        const found = usable(entry);
        return found === undefined ? { slot, reason: 'unavailable' } : { slot, found: inGeneration(found, slot) };
      }
      const next = slotOf(entry.metadata, target);
      if (!next.variant && !next.occupied) return { slot: next, found: usable(entry) };
      slot = next;
      const other = next.variant ? languageSlot(next, target) : undefined;
      const instead = other && usable(await this.#entries.read(other.key));
      if (other && instead) return { slot: other, found: inGeneration(instead, other) };
    }
    return { slot, reason: 'unavailable' };
  }

  /**
   * The right to replace what is stored, which stays readable meanwhile.
   * @param {Slot} slot
   * @param {{ leaseFor: number, tags: readonly string[], until?: number }} options
   */
  async renew(slot, { leaseFor, tags, until }) {
    const outcome = await this.#entries.renew(slot.key, { leaseFor, tags: [...tags, ...ANY_TAG], until });
    return { slot, lease: outcome.lease, reason: /** @type {any} */ (outcome).reason };
  }

  /**
   * Stores the response to a request, and ends the lease. Never rejects.
   * @param {Target} target
   * @param {Slot} slot
   * @param {Lease} lease
   * @param {StoredResponse} stored
   * @param {{ names: readonly string[], language?: string, tags: readonly string[], keep: number }} more names: the
   *   selecting fields of this response. keep: ms beyond its lifetime
   * @returns {Promise<boolean>}
   */
  async save(target, slot, lease, stored, { names, language, tags, keep }) {
    const windows = windowsOf(stored.metadata, keep, this.#entries.maxTtl);
    const { payload, metadata } = stored;
    const { marker } = slot;
    if (slot.variant && marker !== undefined) {
      if (!isPlaceOf(slot, marker, target, language)) {
        void lease.giveUp();
        return false;
      }
      const grown = names.some((name) => !marker.names.includes(name));
      const learned = language !== undefined && marker.languages?.[language] === undefined;
      if (!grown) {
        const kept = await lease.fill(payload, { ...metadata, soft: marker.soft }, windows, tags);
        if (kept && learned) await this.#learn(target, slot, marker, language);
        return kept;
      }
      return this.#regrow(target, lease, marker, stored, { names, language, tags, windows });
    }
    if (names.length === 0) return lease.fill(payload, metadata, windows, tags);
    return this.#fillVariant(target, lease, stored, { names, language, tags, windows });
  }

  /**
   * A lease that tells whether the URL was invalidated since, and keeps nobody waiting. Never rejects.
   * @param {string} base
   * @param {number} leaseFor
   * @returns {Promise<Lease | undefined>}
   */
  async guard(base, leaseFor) {
    if (!this.#entries.available) return undefined;
    return (await this.#entries.acquire(guardKeyOf(base), { leaseFor, tags: ANY_TAG })).lease;
  }

  /**
   * Removes every variant of a URL, or declares it stale.
   * @param {string} base
   * @param {boolean} soft
   * @returns {Promise<boolean>} whether there was anything; rejects with CacheUnavailableError
   */
  async purge(base, soft) {
    // First: who holds it must not take the lease of what is removed below.
    const [, removed] = await Promise.all([this.#entries.remove(guardKeyOf(base)), this.#purge(base, soft)]);
    return removed;
  }

  /**
   * @param {string} base
   * @param {boolean} soft
   */
  async #purge(base, soft) {
    if (!soft) return this.#entries.remove(base);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { metadata } = this.#kept.get(base) ?? (await this.#entries.read(base)) ?? {};
      if (!isMarker(metadata)) return this.#entries.soften(base);
      const renewed = await this.#renewMarker(base, metadata);
      if (renewed === undefined) continue;
      if (await this.#mark(renewed.lease, { ...renewed.marker, soft: newId() }, [])) return true;
    }
    // It changes all the time: nothing stale is better than something that should be.
    return this.#entries.remove(base);
  }

  /** @param {string} base */
  async remove(base) {
    return this.#entries.remove(base);
  }

  /** @param {readonly string[]} tags */
  async invalidateTags(tags) {
    await this.#entries.invalidateTags(tags);
  }

  /**
   * @param {string} pattern of keys
   * @returns {Promise<number>}
   */
  async invalidatePattern(pattern) {
    return this.#entries.invalidatePattern(pattern);
  }

  /**
   * The first response of a URL that varies, or one by names that were not known: a new generation, since of what is
   * stored under the old one nobody knows whether it was purged meanwhile.
   * @param {Target} target
   * @param {Lease} lease of the URL
   * @param {StoredResponse} stored
   * @param {{ names: readonly string[], language?: string, tags: readonly string[], windows: import('../../store/tiered-store').Windows }} more
   */
  async #fillVariant(target, lease, { payload, metadata }, { names, language, tags, windows }) {
    /** @type {Marker} */
    const marker = { http: 2, names: [...names], generation: newId(), soft: newId() };
    if (language !== undefined) marker.languages = { [language]: valueOf(target.req, 'accept-language', undefined) };
    const { key } = variantSlot(marker, target);
    // First the variant, under a key that nobody knows; then the marker. Its lease says that nothing was purged since the
    // handler began, and the tags that it carries say it of them.
    await this.#entries.write(key, { payload, metadata: { ...metadata, soft: marker.soft }, windows, tags });
    return this.#mark(lease, marker, tags);
  }

  /**
   * @param {Lease} lease
   * @param {Marker} marker
   * @param {readonly string[]} tags
   */
  async #mark(lease, marker, tags) {
    const { maxTtl } = this.#entries;
    return lease.fill(EMPTY, marker, { fresh: maxTtl, stale: maxTtl, keep: maxTtl }, tags);
  }

  /**
   * A variant varies by more than its siblings did.
   * @param {Target} target
   * @param {Lease} old of the variant
   * @param {Marker} marker from before its handler ran
   * @param {StoredResponse} stored
   * @param {{ names: readonly string[], language?: string, tags: readonly string[], windows: import('../../store/tiered-store').Windows }} more
   */
  async #regrow(target, old, marker, stored, more) {
    const lease = (await this.#renewMarker(target.base, marker))?.lease;
    // In this order: what the new lease does not know of its tags, the old one does.
    const stands = lease !== undefined && (await old.stands(more.tags));
    void old.giveUp();
    if (!stands) {
      void lease?.giveUp();
      return false;
    }
    const names = [...new Set([...marker.names, ...more.names])].sort();
    return this.#fillVariant(target, lease, stored, { ...more, names });
  }

  /**
   * @param {Target} target
   * @param {Slot} slot
   * @param {Marker} marker
   * @param {string} language
   */
  async #learn(target, slot, marker, language) {
    const renewed = await this.#renewMarker(target.base, marker);
    if (renewed === undefined) return;
    // With what others have learned since this handler began.
    const { lease, marker: now } = renewed;
    const languages = { ...now.languages, [language]: valueOf(target.req, 'accept-language', undefined) };
    await this.#mark(lease, { ...now, languages }, []);
  }

  /**
   * The lease of a marker, if it is still the same one.
   * @param {string} base
   * @param {Marker} marker
   * @returns {Promise<{ lease: Lease, marker: Marker } | undefined>}
   */
  async #renewMarker(base, { generation, soft }) {
    const { lease } = await this.#entries.renew(base, { leaseFor: 1000, tags: ANY_TAG });
    if (lease === undefined) return undefined;
    const now = (this.#entries.peek(base) ?? (await this.#entries.read(base)))?.metadata;
    if (isMarker(now) && now.generation === generation && now.soft === soft) {
      return { lease, marker: now };
    }
    void lease.giveUp();
    return undefined;
  }
}

/**
 * @param {any} metadata of what stands under the URL
 * @param {Target} target
 * @returns {Slot}
 */
function slotOf(metadata, target) {
  if (metadata === undefined) return emptySlot(target.base);
  if (!isMarker(metadata)) {
    return { key: target.base, marker: undefined, variant: false, occupied: target.required.length > 0 };
  }
  const fits = target.required.every((name) => metadata.names.includes(name));
  return fits ? variantSlot(metadata, target) : { key: target.base, marker: metadata, variant: false, occupied: true };
}

/**
 * @param {Marker} marker
 * @param {Target} target
 * @param {string} [language]
 * @returns {Slot}
 */
function variantSlot(marker, { base, req, identity }, language) {
  const selector = selectorOf(marker.names, req, marker.names.includes(IDENTITY) ? identity : undefined, language);
  return { key: `${base}\n${marker.generation}\n${selector}`, marker, variant: true, occupied: false };
}

/**
 * Where a response in the language is that the request wants most, though it says so in other words.
 * @param {Slot} slot
 * @param {Target} target
 * @returns {Slot | undefined}
 */
function languageSlot({ marker }, target) {
  if (marker?.languages === undefined) return undefined;
  const wanted = wantedLanguage(target.req.headers['accept-language']);
  const value = wanted === undefined ? undefined : marker.languages[wanted];
  return value === undefined ? undefined : variantSlot(marker, target, value);
}

/**
 * Whether a response belongs where an older one was found: one that was found by its language does only as long as it is
 * in that language, since those who say just so are answered from there.
 * @param {Slot} slot
 * @param {Marker} marker
 * @param {Target} target
 * @param {string | undefined} language
 */
function isPlaceOf({ key }, marker, target, language) {
  if (key === variantSlot(marker, target).key) return true;
  const value = language === undefined ? undefined : marker.languages?.[language];
  return value !== undefined && key === variantSlot(marker, target, value).key;
}

/**
 * @param {{ payload: Buffer, metadata: any, age: number, softened: boolean } | undefined} entry
 * @returns {Usable | undefined}
 */
function usable(entry) {
  return entry !== undefined && isStoredResponse(entry) ? entry : undefined;
}

/**
 * @param {Usable} found
 * @param {Slot} slot
 * @returns {Usable}
 */
function inGeneration(found, { marker }) {
  if (found.metadata.soft === marker?.soft) return found;
  return { payload: found.payload, metadata: found.metadata, age: found.age, softened: true };
}

/**
 * @param {import('./stored-response').Metadata} metadata
 * @param {number} keep
 * @param {number} maxTtl
 * @returns {import('../../store/tiered-store').Windows}
 */
function windowsOf({ life, age }, keep, maxTtl) {
  const fresh = Math.min(Math.max(0, Math.round(life - age)), maxTtl);
  const whole = Math.min(Math.max(1, Math.round(life + keep - age)), maxTtl);
  return { fresh: Math.min(fresh, whole), stale: whole, keep: whole };
}

/** @typedef {ResponseStore} ResponseStoreInstance */

module.exports = { ResponseStore, emptySlot };
