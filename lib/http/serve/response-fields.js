'use strict';
// Header fields of a response that concern this layer: tags, Cache-Status, Server-Timing.

const { parseTags } = require('../../options/tags');
const { appendMember } = require('../rfc/cache-status');
const { ResponseHead } = require('./response-head');
const { namesOf } = require('../record/response-methods');

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./response-head').Head} Head */
/** @typedef {import('../storage/stored-response').StoredResponse} StoredResponse */

/**
 * @param {readonly string[]} known whole names
 * @param {Head} head
 * @param {readonly unknown[]} own of res.cacheTags()
 * @returns {readonly string[]} whole names
 */
function allTags(known, head, own) {
  if (known.length + own.length === 0 && !head.has('cache-tag') && !head.has('surrogate-key')) return known;
  const listed = (head.get('cache-tag') ?? '').split(',');
  const keys = (head.get('surrogate-key') ?? '').split(/\s+/);
  const found = [...listed, ...keys].map((tag) => tag.trim()).filter((tag) => tag !== '');
  const named = parseTags([...found, ...own], 'cacheTags');
  return [...new Set([...known, ...named])];
}

/** @param {StoredResponse} stored */
function languageOf({ metadata: { head } }) {
  for (let at = 0; at < head.length; at += 2) {
    if (head[at].toLowerCase() === 'content-language') return head[at + 1].trim().toLowerCase();
  }
  return undefined;
}

/**
 * Whether a head is that of what is stored.
 * @param {import('../storage/stored-response').Usable} stored
 * @param {Head} head
 */
function isHeadOf({ payload, metadata }, head) {
  const length = head.get('content-length');
  const etag = head.get('etag');
  const modified = head.get('last-modified');
  if (etag !== undefined && etag !== (metadata.plainEtag ?? metadata.etag)) return false;
  if (modified !== undefined && modified !== metadata.modified) return false;
  return length === undefined || metadata.plainEtag !== undefined || Number(length) === payload.length;
}

/** @param {Head} head */
function validatorsOf(head) {
  const field = (/** @type {string} */ name) => head.get(name) ?? '';
  return { status: head.status, etag: field('etag'), modified: field('last-modified'), date: field('date') };
}

/**
 * The fields that are set already, with their lines.
 * @param {ServerResponse} res
 * @returns {Map<string, string>}
 */
function fieldsOf(res) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  if (namesOf(res).length === 0) return fields;
  for (const { id, lines } of ResponseHead.of(res, 0).fields()) fields.set(id, lines.join('\n'));
  return fields;
}

/**
 * @param {ServerResponse} res
 * @param {string} member
 */
function addStatus(res, member) {
  appendTo(res, 'Cache-Status', member);
}

/**
 * @param {ServerResponse} res
 * @param {string} name
 * @param {string} member
 */
function appendTo(res, name, member) {
  const before = res.getHeader(name);
  res.setHeader(name, appendMember(Array.isArray(before) ? before.join(', ') : before, member));
}

module.exports = { addStatus, allTags, appendTo, fieldsOf, isHeadOf, languageOf, validatorsOf };
