'use strict';
// Which of a user's sessions are good: those of the present generation. A session remembers the generation in which it was
// made, and with every read the two are compared; so all of a user's sessions end in one step, also those that are being
// made or refreshed by another process, and those that no list has.
//
//   generation (16) ' ' end of the record [' ' session ' ' generation]     the last two: one session that was left
//
// A record that is gone revives nothing: no session without one is good.
const { SessionError } = require('../errors');
const { newMark } = require('./record-format');

const HOUR_MS = 3_600_000;
const MOST_TRIES = 1000;
const FORM = /^([\w-]{16}) (\d{1,16})(?: ([\w-]{43}) ([\w-]{16}))?$/;

/** @typedef {import('../types').Generation} Generation */

/**
 * @param {unknown} text
 * @returns {Generation | undefined}
 */
function parse(text) {
  const match = typeof text === 'string' ? FORM.exec(text) : null;
  if (match === null) return undefined;
  const [, present, end, session, left] = match;
  return { present, end: Number(end), session, left };
}

/** @param {Generation} generation */
function format({ present, end, session, left }) {
  return session === undefined ? `${present} ${end}` : `${present} ${end} ${session} ${left}`;
}

/**
 * @param {unknown} text the record of a user
 * @param {string} handle of the session
 * @param {string | undefined} generation in which it was made
 */
function isGood(text, handle, generation) {
  const { present, session, left } = parse(text) ?? {};
  return generation !== undefined && (generation === present || (session === handle && generation === left));
}

class Generations {
  #records;

  /** @param {import('../storage/redis-records').Records} records */
  constructor(records) {
    this.#records = records;
  }

  /**
   * The present generation, whose record outlives a session that ends then.
   * @param {string} key of the user's record
   * @param {number} until
   * @returns {Promise<string>}
   */
  async join(key, until) {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const text = await this.#records.get(key);
      const known = parse(text);
      if (known !== undefined && known.end >= until) return known.present;
      const now = Date.now();
      // Longer than needed: the next ones need not write, and clocks of other machines may differ.
      const end = Math.max(until, known?.end ?? 0) + Math.max(HOUR_MS, Math.ceil((until - now) / 8));
      const next = { session: undefined, left: undefined, present: newMark(), ...known, end };
      const written =
        text === null
          ? await this.#records.add(key, format(next), end - now)
          : (await this.#records.swap(key, text, true, format(next), end - now)) === 1;
      if (written) return next.present;
    }
    throw new SessionError('SESSION_CONFLICT', 'the sessions of this user change all the time');
  }

  /**
   * Ends the present generation.
   * @param {string} key
   * @param {{ handle: string, generation: string } | undefined} except a session that stays, if it is good
   * @returns {Promise<boolean>} false: there was none, and so no good session
   */
  async end(key, except) {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const text = await this.#records.get(key);
      if (text === null) return false;
      const known = parse(text);
      const now = Date.now();
      const stays = except !== undefined && isGood(text, except.handle, except.generation);
      const next = {
        present: newMark(),
        end: Math.max(known?.end ?? 0, now + HOUR_MS),
        session: stays ? except.handle : undefined,
        left: stays ? except.generation : undefined,
      };
      if ((await this.#records.swap(key, text, true, format(next), next.end - now)) === 1) return true;
    }
    throw new SessionError('SESSION_CONFLICT', 'the sessions of this user change all the time');
  }
}

module.exports = { Generations, isGood };
