'use strict';
// How answers become the same JavaScript values whether the server speaks RESP2 or RESP3.

const pairs = (/** @type {any} */ reply) => {
  if (reply instanceof Map) return reply;
  const map = new Map();
  for (let i = 0; i < reply.length; i += 2) map.set(reply[i], reply[i + 1]);
  return map;
};

/** A flat list or a Map of fields and values as an object without a prototype, so that no field is special. */
const object = (/** @type {any} */ reply, buffers = false) => {
  if (reply === null) return null;
  // Bytes cannot be the names of properties.
  if (buffers) return pairs(reply);
  const result = Object.create(null);
  if (reply instanceof Map) {
    for (const [field, value] of reply) result[field] = value;
  } else {
    for (let i = 0; i < reply.length; i += 2) result[reply[i]] = reply[i + 1];
  }
  return result;
};
/** A map whose keys are words of the protocol: always an object. */
const named = (/** @type {any} */ reply) => {
  const result = Object.create(null);
  for (const [name, value] of pairs(reply)) result[String(name)] = value;
  return result;
};
/** No text: given as a Buffer, whoever asks. The answer has to be asked for so (_run). */
const bytes = (/** @type {any} */ reply) => reply;
/** What was read as bytes, as it is given otherwise. @type {(reply: any) => any} */
const textIn = (reply) => {
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (Array.isArray(reply)) return reply.map(textIn);
  if (reply instanceof Set) return new Set([...reply].map(textIn));
  return reply instanceof Map ? new Map([...reply].map((pair) => textIn(pair))) : reply;
};
const list = (/** @type {any} */ reply) => (reply instanceof Set ? [...reply] : reply);
const number = (/** @type {any} */ reply) => (reply === null || typeof reply === 'number' ? reply : toNumber(reply));
const bool = (/** @type {any} */ reply) => Number(reply) === 1;
const bools = (/** @type {any[]} */ reply) => reply.map(bool);
const numbers = (/** @type {any[]} */ reply) => reply.map(number);
const info = (/** @type {any} */ reply) => parseInfo(String(reply));

/** @param {any} reply */
function toNumber(reply) {
  const text = String(reply);
  if (text === 'inf' || text === '+inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

/**
 * INFO as sections of fields. A field whose value is itself a list (`db0:keys=1,expires=0`) becomes an object.
 * @param {string} text
 * @returns {Record<string, Record<string, string | Record<string, string>>>}
 */
function parseInfo(text) {
  /** @type {Record<string, any>} */
  const sections = Object.create(null);
  /** @type {Record<string, any>} */
  let section = (sections.default = Object.create(null));
  for (const line of text.split('\r\n')) {
    if (line.startsWith('# ')) {
      section = sections[line.slice(2).toLowerCase()] = Object.create(null);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const value = line.slice(colon + 1);
    section[line.slice(0, colon)] = /^\w+=[^,]*(,\w+=[^,]*)*$/.test(value)
      ? Object.fromEntries(value.split(',').map((pair) => pair.split('=', 2)))
      : value;
  }
  if (Object.keys(sections.default).length === 0) delete sections.default;
  return sections;
}

/**
 * Members and scores: nested pairs in RESP3, a flat list of text in RESP2.
 * @param {any[]} reply
 * @returns {Array<{ member: any, score: number }>}
 */
function scored(reply) {
  if (Array.isArray(reply[0])) return reply.map(([member, score]) => ({ member, score: number(score) }));
  const pairs = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push({ member: reply[i], score: number(reply[i + 1]) });
  return pairs;
}

/** Fields and values: nested pairs in RESP3, a flat list in RESP2. */
function pairList(/** @type {any[]} */ reply) {
  if (Array.isArray(reply[0])) return reply;
  return Array.from({ length: reply.length / 2 }, (_, index) => reply.slice(2 * index, 2 * index + 2));
}

/** @param {any} reply */
function ranked(reply) {
  return reply === null ? null : { rank: reply[0], score: number(reply[1]) };
}

/**
 * For answers that a word among the arguments makes others.
 * @param {string} word
 * @param {import('./types').Transform} transform
 * @param {(args: readonly any[]) => number} behind the place from which on it may be; keys may be called so too
 * @returns {import('./types').Choice}
 */
const asked =
  (word, transform, behind = () => 2) =>
  (args) =>
    args.slice(behind(args)).some((arg) => String(arg).toUpperCase() === word) ? transform : undefined;

const withScores = asked('WITHSCORES', scored);
const withScore = asked('WITHSCORE', ranked);

module.exports = {
  asked,
  bool,
  bools,
  bytes,
  info,
  list,
  named,
  number,
  numbers,
  object,
  pairList,
  parseInfo,
  scored,
  textIn,
  withScore,
  withScores,
};
