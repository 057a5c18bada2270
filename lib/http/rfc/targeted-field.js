'use strict';
// Targeted cache control: a field for one kind of cache, in place of Cache-Control and Expires.
// https://www.rfc-editor.org/rfc/rfc9213.html#section-2.2
// It is a structured field, and read strictly: one that does not parse is ignored as a whole.
// https://www.rfc-editor.org/rfc/rfc9651.html#section-4.2.2

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})/y;
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const BYTES = /:[A-Za-z0-9+/=]*:/y;
const BOOLEAN = /\?[01]/y;
const DATE = /@-?\d{1,15}/y;

/** A reader of one field; every method throws `false` when the field is not what it should be. */
class FieldReader {
  #text;
  #at = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  get done() {
    return this.#at >= this.#text.length;
  }

  /**
   * @param {RegExp} pattern sticky
   * @returns {string | undefined}
   */
  take(pattern) {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  /** @param {string} character */
  at(character) {
    return this.#text[this.#at] === character;
  }

  /** @param {string} character */
  skip(character) {
    if (!this.at(character)) return false;
    this.#at++;
    return true;
  }

  /** @param {RegExp} spaces sticky */
  skipAll(spaces) {
    this.take(spaces);
  }
}

const SPACES = / */y;
const WHITESPACE = /[ \t]*/y;

/**
 * @param {FieldReader} reader
 * @returns {string | number | boolean | undefined} undefined: no item. Strings keep their quotes, which tells them from tokens
 */
function readItem(reader) {
  const number = reader.take(NUMBER);
  if (number !== undefined) return Number(number);
  const boolean = reader.take(BOOLEAN);
  if (boolean !== undefined) return boolean === '?1';
  return reader.take(STRING) ?? reader.take(TOKEN) ?? reader.take(BYTES) ?? reader.take(DATE);
}

/**
 * @param {FieldReader} reader
 * @returns {boolean} whether the parameters are well formed
 */
function skipParameters(reader) {
  while (reader.skip(';')) {
    reader.skipAll(SPACES);
    if (reader.take(KEY) === undefined) return false;
    if (reader.skip('=') && readItem(reader) === undefined) return false;
  }
  return true;
}

/**
 * @param {FieldReader} reader behind the opening parenthesis
 * @returns {boolean} whether the inner list is well formed
 */
function skipInnerList(reader) {
  for (;;) {
    reader.skipAll(SPACES);
    if (reader.skip(')')) return true;
    if (readItem(reader) === undefined || !skipParameters(reader)) return false;
    // https://www.rfc-editor.org/rfc/rfc9651.html#section-4.2.1.2
    if (!reader.at(' ') && !reader.at(')')) return false;
  }
}

/**
 * The directives of a targeted field as parseCacheControl() gives those of Cache-Control; undefined for a field that is
 * not a dictionary, or empty. A directive of the wrong type does not count: `max-age="10"` is no number of seconds.
 * @param {string} field all lines joined by commas
 * @returns {import('./cache-control').Directives | undefined}
 */
function parseTargeted(field) {
  /** @type {import('./cache-control').Directives} */
  const directives = new Map();
  const reader = new FieldReader(field.trim());
  while (!reader.done) {
    const name = reader.take(KEY);
    if (name === undefined) return undefined;
    /** @type {string | number | boolean | undefined} */
    let value = true;
    if (reader.skip('=')) {
      if (reader.skip('(')) {
        if (!skipInnerList(reader)) return undefined;
        value = false;
      } else {
        value = readItem(reader);
        if (value === undefined) return undefined;
      }
    }
    if (!skipParameters(reader)) return undefined;
    // https://www.rfc-editor.org/rfc/rfc9651.html#section-3.2: the last one counts.
    directives.delete(name);
    if (value === true) directives.set(name, true);
    else if (typeof value === 'number' && Number.isInteger(value)) directives.set(name, String(value));
    // What names fields, as private="a" does, restricts: it counts as unqualified.
    else if (typeof value === 'string' || typeof value === 'number') {
      directives.set(name, isDelta(name) ? 'invalid' : true);
    }
    reader.skipAll(WHITESPACE);
    if (reader.done) break;
    if (!reader.skip(',')) return undefined;
    reader.skipAll(WHITESPACE);
    if (reader.done) return undefined;
  }
  return directives.size > 0 ? directives : undefined;
}

/** @param {string} name */
function isDelta(name) {
  return name === 'max-age' || name === 's-maxage' || name.startsWith('stale-');
}

module.exports = { parseTargeted };
