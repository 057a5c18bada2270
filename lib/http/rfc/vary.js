'use strict';
// Selecting fields: by which request fields the responses of one URL are told apart, and what their values amount to.
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1

const { createHash } = require('node:crypto');
const { parseTokens } = require('./cache-control');

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */

/** No field: what the `identity` option says of the request. */
const IDENTITY = ':identity';
// Codings that clients name by habit and servers never prefer: dropped where a better one is named, so that variants
// stay few.
const REAL_CODINGS = new Set(['zstd', 'br', 'gzip']);
const MAX_SELECTOR_LENGTH = 200;

/**
 * The names in Vary, in lower case, sorted, once each.
 * @param {string | undefined} vary
 * @param {readonly string[]} more
 * @returns {string[]}
 */
function varyNames(vary, more) {
  return [...new Set([...parseTokens(vary), ...more])].sort();
}

/**
 * A list member with its weight: https://www.rfc-editor.org/rfc/rfc9110.html#section-12.4.2
 * @param {string} value
 * @returns {Array<{ name: string, weight: number }>}
 */
function weighted(value) {
  return parseTokens(value).map((member) => {
    const [name, ...parameters] = member.split(';');
    let weight = 1;
    for (const parameter of parameters) {
      const match = /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/.exec(parameter);
      if (match) weight = Math.min(1, Number(match[1]));
    }
    return { name: name.trim(), weight };
  });
}

/** @param {string} coding */
const usualName = (coding) => (coding === 'x-gzip' ? 'gzip' : coding);

/**
 * What is left of Accept-Encoding: the codings that the client takes and that servers use, and those it refuses although
 * a star, or nothing, would allow them.
 * https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.3
 * @param {string} value
 */
function codingsOf(value) {
  const members = weighted(value);
  const taken = members.filter(({ weight }) => weight > 0).map(({ name }) => usualName(name));
  const real = taken.filter((name) => REAL_CODINGS.has(name) || name === '*');
  const kept = real.length > 0 ? real : taken.filter((name) => name !== 'identity');
  const refused = members.filter(({ name, weight }) => weight === 0 && (name === 'identity' || taken.includes('*')));
  return { kept, refused: refused.map(({ name }) => name) };
}

/** @param {string} value */
function codings(value) {
  const { kept, refused } = codingsOf(value);
  return [...new Set(kept), ...refused.map((name) => `!${name}`)].sort().join(',');
}

/**
 * Whether everybody whose Accept-Encoding amounts to the same takes the coding of this response. An app that reads the
 * field in another way than we do may have chosen one that they do not.
 * @param {string | undefined} contentEncoding
 * @param {string | undefined} acceptEncoding of the request that it answers
 */
function isTaken(contentEncoding, acceptEncoding) {
  if (contentEncoding === undefined || acceptEncoding === undefined) return true;
  const { kept, refused } = codingsOf(acceptEncoding);
  return parseTokens(contentEncoding)
    .map(usualName)
    .every(
      (coding) => coding === 'identity' || kept.includes(coding) || (kept.includes('*') && !refused.includes(coding)),
    );
}

/**
 * Preferences are a set: their order is nothing, their weights are.
 * https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.4
 * @param {string} value
 */
function preferences(value) {
  return weighted(value)
    .map(({ name, weight }) => (weight === 1 ? name : `${name};q=${weight}`))
    .sort()
    .join(',');
}

/**
 * What the lines of a field amount to.
 * @param {string} name
 * @param {string} value
 */
function normalised(name, value) {
  if (name === 'accept-encoding') return codings(value);
  if (name === 'accept-language') return preferences(value);
  // Of an unknown field, only that white space around commas is nothing.
  return value
    .split(',')
    .map((member) => member.trim())
    .join(',');
}

/**
 * @param {IncomingMessage} req
 * @param {string} name
 * @param {string | undefined} identity
 * @returns {string}
 */
function valueOf(req, name, identity) {
  if (name === IDENTITY) return identity === undefined ? '' : `=${identity}`;
  const value = req.headers[name];
  // Absent is something else than empty.
  return value === undefined ? '' : `=${normalised(name, Array.isArray(value) ? value.join(', ') : value)}`;
}

/**
 * The part of a key that selects a variant: equal for requests that the same stored response answers.
 * @param {readonly string[]} names
 * @param {IncomingMessage} req
 * @param {string | undefined} identity
 * @param {string} [language] instead of what the request says, as valueOf() gives it
 */
function selectorOf(names, req, identity, language) {
  const text = names
    .map((name) => {
      const value = name === 'accept-language' && language !== undefined ? language : valueOf(req, name, identity);
      return `${name}${value.replace(/[\\\n]/g, '\\$&')}`;
    })
    .join('\n');
  // Values are anybody's: they must neither make a key endless nor end up readable in Redis.
  if (text.length <= MAX_SELECTOR_LENGTH && !names.includes('cookie') && !names.includes('authorization')) {
    if (identity === undefined) return text;
  }
  return `#${createHash('sha256').update(text).digest('base64url')}`;
}

/**
 * Of languages in which answers are stored, the one that the request wants most; undefined when that is not clear.
 * https://www.rfc-editor.org/rfc/rfc4647.html#section-3.4
 * @param {string | undefined} acceptLanguage
 * @returns {string | undefined}
 */
function wantedLanguage(acceptLanguage) {
  if (acceptLanguage === undefined) return undefined;
  const ranked = weighted(acceptLanguage)
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  if (ranked.length === 0 || ranked[0].weight === ranked[1]?.weight) return undefined;
  return ranked[0].name;
}

module.exports = { IDENTITY, varyNames, isTaken, selectorOf, valueOf, weighted, wantedLanguage };
