'use strict';
// Ids, what stands for them, and the keys of everything that createSessions keeps:
//
//   <prefix>s:<handle, or the id itself>    a session
//   <prefix>g:<hash of the user>            the generation of a user's sessions
//   <prefix>i:<hash of the user>            the list of them
const { randomBytes } = require('node:crypto');
const { invalid } = require('../../options/invalid');
const { hashId } = require('./ids');

const ID = /^[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 32;

/** @typedef {import('../types').Place} Place */

class Places {
  #prefix;
  #hashIds;

  /** @param {{ prefix: string, hashIds: boolean }} options */
  constructor({ prefix, hashIds }) {
    this.#prefix = prefix;
    this.#hashIds = hashIds;
  }

  newId() {
    return randomBytes(ID_BYTES).toString('base64url');
  }

  /**
   * @param {unknown} id from outside
   * @returns {Place | undefined} undefined: no id of ours, and so nobody's
   */
  find(id) {
    if (typeof id !== 'string') throw invalid('session id', 'a string', id);
    return ID.test(id) ? this.of(id) : undefined;
  }

  /**
   * @param {string} id
   * @returns {Place}
   */
  of(id) {
    const handle = hashId(id);
    return this.#place(handle, this.#hashIds ? handle : id);
  }

  /**
   * @param {string} member of a list
   * @returns {Place}
   */
  ofMember(member) {
    return this.#place(this.#hashIds ? member : hashId(member), member);
  }

  /** @param {string} user */
  generationOf(user) {
    return `${this.#prefix}g:${hashId(user)}`;
  }

  /** @param {string} user */
  listOf(user) {
    return `${this.#prefix}i:${hashId(user)}`;
  }

  /**
   * @param {string} handle
   * @param {string} member
   */
  #place(handle, member) {
    return { handle, member, key: `${this.#prefix}s:${member}` };
  }
}

/** @typedef {Places} PlacesInstance */

module.exports = { Places };
