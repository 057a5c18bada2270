'use strict';
// Parsers of list fields: Cache-Control, Vary and the entity tags of conditional requests.

const TCHAR = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
/** 2^31: what a delta-seconds that overflows means. https://www.rfc-editor.org/rfc/rfc9111.html#section-1.2.2 */
const MAX_DELTA_SECONDS = 2147483648;

/** Directive name in lower case → its argument without quotes, or `true` when it has none. */
/** @typedef {Map<string, string | true>} Directives */

/**
 * Reads `name`, `name=token` and `name="quoted \" string"`, separated by commas. A quoted comma or `max-age=1` inside
 * a quoted string is not a directive. What cannot be read is skipped up to the next comma, but its name counts: a
 * malformed `private=` is still `private`. https://www.rfc-editor.org/rfc/rfc9111.html#section-5.2
 * @param {string | undefined} field all lines joined by commas
 * @returns {Directives}
 */
function parseCacheControl(field) {
  /** @type {Directives} */
  const directives = new Map();
  if (!field) return directives;
  let at = startOfMember(field, 0);
  while (at < field.length) {
    const start = at;
    while (at < field.length && TCHAR.test(field[at])) at++;
    const name = field.slice(start, at).toLowerCase();
    /** @type {string | true} */
    let argument = true;
    if (field[at] === '=') {
      if (field[at + 1] === '"') {
        const quoted = readQuoted(field, at + 1);
        argument = quoted.text;
        at = quoted.end;
      } else {
        const from = ++at;
        while (at < field.length && TCHAR.test(field[at])) at++;
        argument = field.slice(from, at);
      }
    }
    const comma = endOfMember(field, at);
    // Something between the argument and the comma: the argument is not what it seems ("max-age=1 2").
    if (argument !== true && field.slice(at, comma).trim() !== '') argument += '?';
    at = startOfMember(field, comma);
    // The first occurrence counts. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.1
    if (name !== '' && !directives.has(name)) directives.set(name, argument);
  }
  return directives;
}

/**
 * @param {string} field
 * @param {number} open where the opening quote is
 */
function readQuoted(field, open) {
  let text = '';
  let at = open + 1;
  while (at < field.length && field[at] !== '"') {
    if (field[at] === '\\' && at + 1 < field.length) at++;
    text += field[at++];
  }
  return { text, end: Math.min(at + 1, field.length) };
}

/**
 * Where the comma is that ends this list member, over quoted strings.
 * @param {string} field
 * @param {number} at
 */
function endOfMember(field, at) {
  while (at < field.length && field[at] !== ',') at = field[at] === '"' ? readQuoted(field, at).end : at + 1;
  return at;
}

/**
 * @param {string} field
 * @param {number} at
 */
function startOfMember(field, at) {
  while (at < field.length && (field[at] === ' ' || field[at] === '\t' || field[at] === ',')) at++;
  return at;
}

/**
 * A number of seconds; undefined when there is none, NaN when it is not one.
 * @param {string | true | undefined} argument
 * @returns {number | undefined}
 */
function deltaSeconds(argument) {
  if (argument === undefined) return undefined;
  if (argument === true || !/^[0-9]+$/.test(argument)) return NaN;
  return Math.min(Number(argument), MAX_DELTA_SECONDS);
}

/**
 * The members of a list of tokens, in lower case. https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.1
 * @param {string | undefined} field
 * @returns {string[]}
 */
function parseTokens(field) {
  if (!field) return [];
  return field
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

module.exports = { parseCacheControl, deltaSeconds, parseTokens, MAX_DELTA_SECONDS };
