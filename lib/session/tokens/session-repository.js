'use strict';
// Reading, and the steps on what was read: one session's record, the generation that makes it good, and its place in its
// user's list. Rejects with whatever Redis says.
const { SessionError } = require('../errors');
const { Generations, isGood } = require('./user-generation');
const { openIndex } = require('./user-index');
const { BoundedMap } = require('../../util/bounded-map');
const { RecordForm, digits } = require('./record-format');

// How many sessions are remembered with their users, so that both records are asked for together.
const REMEMBERED = 10_000;
const AT_ONCE = 100;
const LEAST_EPOCH_MS = 1000;

/**
 * @typedef {import('./record-format').Stored} Stored
 * @typedef {import('./record-format').Meta} Meta
 * @typedef {import('./session-keys').Place} Place
 */

/**
 * How long a session lives from now when it is not used.
 * @param {Meta} meta
 * @param {number} now
 */
const lifetime = ({ t, e }, now) => Math.min(t, e - now);

/** A user's list is told of the use of a session once in so long. @param {Meta} meta */
const epochMs = ({ t }) => Math.max(LEAST_EPOCH_MS, t / 8);

/**
 * @param {Meta} meta
 * @param {number} time
 */
const epochOf = (meta, time) => Math.floor(time / epochMs(meta));

class SessionAccess {
  #records;
  #places;
  #tell;
  #generations;
  #index;
  /** By the handle of a session. @type {import('../../util/bounded-map').BoundedMapOf<{ user: string, key: string }>} */
  #users = new BoundedMap(REMEMBERED);
  form;

  /**
   * @param {object} parts
   * @param {import('../storage/redis-records').Records} parts.records
   * @param {import('./session-keys').PlacesInstance} parts.places
   * @param {import('../storage/encryption').SealerInstance | undefined} parts.sealer
   * @param {(error: Error) => void} parts.tell of what was survived
   */
  constructor({ records, places, sealer, tell }) {
    this.#records = records;
    this.#places = places;
    this.#tell = tell;
    this.form = new RecordForm(sealer);
    this.#generations = new Generations(records);
    this.#index = openIndex(records);
  }

  /**
   * @param {Place} at where there is none
   * @param {Meta} meta
   * @param {string} data JSON
   * @returns {Promise<Stored>}
   */
  async create(at, meta, data) {
    if (meta.u !== undefined) meta.g = await this.#generations.join(this.#places.generationOf(meta.u), meta.e);
    const { value, mark } = this.form.encode(at.key, meta, data, meta.c);
    // In this order: what the list has was there.
    const put = this.#records.put(at.key, value, lifetime(meta, meta.c));
    await Promise.all([put, this.#list(at, meta, meta.c)]);
    return { body: { ...meta, d: JSON.parse(data) }, mark, lastUse: meta.c };
  }

  /**
   * What is stored of a good session.
   * @param {Place} at
   * @returns {Promise<Stored | undefined>}
   */
  async read(at) {
    const known = this.#users.get(at.handle);
    // In this order: a generation that is read afterwards is at least as new as the session.
    const [value, generation] = await Promise.all([
      this.#value(at),
      known === undefined ? undefined : this.#records.get(known.key),
    ]);
    const stored = value === null ? undefined : this.form.decode(at.key, value);
    if (stored === undefined) {
      if (value !== null) this.#unreadable(at);
      return undefined;
    }
    const { u, g, e } = stored.body;
    if (e <= Date.now()) return undefined;
    if (u === undefined) return stored;
    if (known?.user === u) return isGood(generation, at.handle, g) ? stored : undefined;
    const key = this.#places.generationOf(u);
    this.#users.set(at.handle, { user: u, key });
    return isGood(await this.#records.get(key), at.handle, g) ? stored : undefined;
  }

  /**
   * @param {Place} at
   * @param {Stored} stored that the new data were made of
   * @param {string} data JSON
   * @returns {Promise<Stored | 'gone' | 'changed'>} what is there now, with the data of before; or that somebody was faster
   */
  async write(at, stored, data) {
    const now = Date.now();
    const ms = lifetime(stored.body, now);
    if (ms <= 0) return 'gone';
    const { value, mark } = this.form.encode(at.key, stored.body, data, now);
    const outcome = await this.#records.swap(at.key, stored.mark, false, value, ms, this.form.binary);
    if (outcome !== 1) return outcome === 0 ? 'gone' : 'changed';
    await this.#listAgain(at, stored, now);
    return { body: stored.body, mark, lastUse: now };
  }

  /**
   * @param {Place} at
   * @param {Stored} stored
   * @returns {Promise<boolean>} whether it is still there
   */
  async touch(at, stored) {
    const now = Date.now();
    const ms = lifetime(stored.body, now);
    if (ms <= 0) return false;
    if ((await this.#records.patch(this.form.lastUse, at.key, digits(now), ms)) !== 1) return false;
    await this.#listAgain(at, stored, now);
    return true;
  }

  /**
   * @param {Place} at
   * @returns {Promise<boolean>} whether there was a record
   */
  async remove(at) {
    // On one connection: read first, then removed.
    const [value, removed] = await Promise.all([this.#value(at), this.#records.remove(at.key)]);
    this.#users.delete(at.handle);
    const user = value === null ? undefined : this.form.decode(at.key, value)?.body.u;
    if (user !== undefined) {
      // It is gone; that a list still has it is not worth an error.
      await this.#index.remove(this.#places.listOf(user), [at.member]).catch(() => {});
    }
    return removed;
  }

  /**
   * Ends all sessions of a user in one step.
   * @param {string} user
   * @param {{ at: Place, stored: Stored } | undefined} except
   * @returns {Promise<boolean>} false: there cannot have been any
   */
  endAll(user, except) {
    const stays = except !== undefined && { handle: except.at.handle, generation: String(except.stored.body.g) };
    return this.#generations.end(this.#places.generationOf(user), stays || undefined);
  }

  /**
   * @param {string} user
   * @returns {Promise<Place[]>} those that the list has, good or not
   */
  async listed(user) {
    const members = await this.#index.members(this.#places.listOf(user));
    return members.map((member) => this.#places.ofMember(member));
  }

  /**
   * The good sessions of a user's list; what else it has is removed.
   * @param {string} user
   * @returns {Promise<{ good: Array<{ at: Place, stored: Stored }>, removed: number }>}
   */
  async survey(user) {
    const places = await this.listed(user);
    const good = [];
    let removed = 0;
    for (let i = 0; i < places.length; i += AT_ONCE) {
      const batch = places.slice(i, i + AT_ONCE);
      const values = await Promise.all(batch.map((at) => this.#value(at)));
      // Read after them: a generation that is over never comes back.
      const generation = await this.#records.get(this.#places.generationOf(user));
      const now = Date.now();
      /** @type {Place[]} */
      const unlisted = [];
      /** @type {Place[]} */
      const dead = [];
      for (const [j, at] of batch.entries()) {
        const stored = values[j] === null ? undefined : this.form.decode(at.key, values[j]);
        const own = stored !== undefined && stored.body.u === user;
        if (own && stored.body.e > now && isGood(generation, at.handle, stored.body.g)) good.push({ at, stored });
        else unlisted.push(at);
        if (own && unlisted.at(-1) === at) dead.push(at);
      }
      removed += (await Promise.all(dead.map(({ key }) => this.#records.remove(key)))).filter(Boolean).length;
      await this.#index.remove(
        this.#places.listOf(user),
        unlisted.map(({ member }) => member),
      );
    }
    return { good, removed };
  }

  /**
   * Also until the next time that the list would be told: a member outlives its session by that at most.
   * @param {Place} at
   * @param {Meta} meta
   * @param {number} now
   */
  async #list(at, meta, now) {
    if (meta.u === undefined) return;
    const end = Math.min((epochOf(meta, now) + 1) * epochMs(meta) + meta.t, meta.e);
    await this.#index.add(this.#places.listOf(meta.u), at.member, Math.ceil(end));
  }

  /**
   * @param {Place} at
   * @param {Stored} stored before this use
   * @param {number} now
   */
  async #listAgain(at, { body, lastUse }, now) {
    if (epochOf(body, lastUse) !== epochOf(body, now)) await this.#list(at, body, now);
  }

  /**
   * @param {Place} at
   * @returns {Promise<any>} null: nothing, or nothing of ours
   */
  async #value(at) {
    try {
      return await this.#records.get(at.key, this.form.binary);
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'WRONGTYPE') throw error;
      this.#unreadable(at);
      return null;
    }
  }

  /** @param {Place} at */
  #unreadable({ handle }) {
    this.#tell(
      new SessionError('SESSION_UNREADABLE', 'a session could not be read: it counts as none', { id: handle }),
    );
  }
}

module.exports = { SessionAccess };
