'use strict';
// What each tier holds under a key, for people and tools: also leases, remembered failures, and what is stale or foreign.
const binding = require('../binding');
const { BYTES, CUSTOM, JSON_TEXT, MSGPACK, TEXT } = require('../store/codec-numbers');
const { STALE, STALE_ERROR } = require('../store/tiered-store');

/** @typedef {import('../../types').InspectedEntry} InspectedEntry */
/** @typedef {{ name: string, stamp: string }} Tag its whole name, and the stamp in hex that the entry carries */

/** @type {Map<number, InspectedEntry['codec']>} as core/entry/entry_json.cpp names them */
const CODEC_NAMES = new Map([
  [BYTES, 'bytes'],
  [JSON_TEXT, 'json'],
  [MSGPACK, 'msgpack'],
  [TEXT, 'text'],
  [CUSTOM, 'custom'],
]);

/**
 * @param {string} key
 * @param {import('../store/store').StoreInstance} store
 * @returns {Promise<import('../../types').Inspection>} rejects when Redis does not answer
 */
async function inspect(key, { tiers, prefix, tagPrefix }) {
  const memory = tiers.peekWhole(key, true);
  return {
    memory: memory === undefined ? undefined : ofMemory(memory),
    redis: tiers.client === undefined ? undefined : await ofRedis(tiers.client, prefix + key, tagPrefix),
  };
}

/**
 * @param {import('../store/tiered-store').Hit} hit
 * @returns {InspectedEntry}
 */
function ofMemory({ payload, codec, freshness, age, left, staleLeft, created, metadata, tags, loadTime }) {
  return {
    kind: 'value',
    codec: CODEC_NAMES.get(codec),
    bytes: Buffer.byteLength(payload),
    created: new Date(created),
    age: age / 1000,
    ttl: freshness === STALE || freshness === STALE_ERROR ? 0 : left / 1000,
    staleFor: staleLeft / 1000,
    loadTime: loadTime / 1000,
    tags,
    leased: false,
    outdated: freshness === STALE_ERROR,
    invalidated: false,
    metadata: metadata === '' ? null : JSON.parse(metadata),
  };
}

/**
 * @param {import('../redis/client').Client} client
 * @param {string} fullKey
 * @param {string} tagPrefix
 * @returns {Promise<InspectedEntry | undefined>}
 */
async function ofRedis(client, fullKey, tagPrefix) {
  // In one write: the lifetime is that of the entry, but for a change in between.
  const [left, bytes] = await Promise.all([client.call('PTTL', fullKey), bytesOf(client, fullKey)]);
  if (bytes === null) return undefined;
  const text = bytes === undefined ? undefined : binding.describeEntry(bytes);
  if (text === undefined) return { kind: 'foreign', bytes: bytes?.length };
  const entry = JSON.parse(text);
  const tags = /** @type {Tag[]} */ (entry.tags);
  const age = Math.max(0, entry.keepFor - Math.max(0, left));
  const until = (/** @type {number} */ duration) => Math.max(0, (entry.outdated ? 0 : duration) - age) / 1000;
  return {
    kind: entry.kind,
    codec: entry.codec,
    bytes: entry.payloadBytes,
    created: new Date(entry.created),
    age: age / 1000,
    ttl: until(entry.freshFor),
    staleFor: until(entry.staleFor),
    goneIn: Math.max(0, left) / 1000,
    loadTime: entry.loadTime / 1000,
    tags: tags.filter(({ name }) => name.startsWith('t:')).map(({ name }) => name.slice(2)),
    leased: entry.lease !== null,
    outdated: entry.outdated,
    invalidated: await anyChanged(client, tags, tagPrefix),
    metadata: entry.metadata,
  };
}

/**
 * Whether one of the tags has another stamp by now, or none.
 * @param {import('../redis/client').Client} client
 * @param {Tag[]} tags
 * @param {string} tagPrefix
 */
async function anyChanged(client, tags, tagPrefix) {
  if (tags.length === 0) return false;
  /** @type {Array<Buffer | null>} */
  const stamps = await client.buffers.call('MGET', ...tags.map(({ name }) => tagPrefix + name));
  return stamps.some((stamp, index) => stamp?.toString('hex') !== tags[index].stamp);
}

/**
 * @param {import('../redis/client').Client} client
 * @param {string} fullKey
 * @returns {Promise<Buffer | null | undefined>} undefined: what is there is no string
 */
async function bytesOf(client, fullKey) {
  try {
    return await client.buffers.call('GET', fullKey);
  } catch (error) {
    if (/** @type {any} */ (error).code === 'WRONGTYPE') return undefined;
    throw error;
  }
}

module.exports = { inspect };
