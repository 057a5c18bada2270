'use strict';
// Streams. An entry is [id, fields], with the fields as an object; of buffers, as a Map.
const { bool, named, number, object } = require('../replies');

/** `null` where the entry was deleted; with JUSTID its id alone. */
const entry = (/** @type {any} */ reply, buffers = false) =>
  Array.isArray(reply) ? [reply[0], object(reply[1], buffers)] : reply;

const entries = (/** @type {any[]} */ reply, buffers = false) => reply.map((one) => entry(one, buffers));

/** Streams and their entries: a Map in RESP3, pairs in RESP2. */
function read(/** @type {any} */ reply, buffers = false) {
  if (reply === null) return null;
  const streams = new Map();
  for (const [stream, found] of reply) streams.set(stream, entries(found, buffers));
  return object(streams, buffers);
}

/** Redis 6.2 does not say which were deleted. */
const claimed = (/** @type {any[]} */ [next, found, deleted = []], buffers = false) => [
  next,
  entries(found, buffers),
  deleted,
];

/** Without a range, a summary. */
function pending(/** @type {any[]} */ reply) {
  if (typeof reply[0] !== 'number') return reply;
  const [count, first, last, consumers] = reply;
  return [count, first, last, (consumers ?? []).map((/** @type {any[]} */ [name, has]) => [name, number(has)])];
}

const listOfNamed = (/** @type {any[]} */ reply) => reply.map(named);

function stream(/** @type {any} */ reply, buffers = false) {
  const info = named(reply);
  for (const name of ['first-entry', 'last-entry']) {
    if (Object.hasOwn(info, name)) info[name] = entry(info[name], buffers);
  }
  // With FULL.
  if (info.entries !== undefined) info.entries = entries(info.entries, buffers);
  if (Array.isArray(info.groups)) {
    info.groups = listOfNamed(info.groups).map((group) => ({ ...group, consumers: listOfNamed(group.consumers) }));
  }
  return info;
}

/** @type {import('../types').Row[]} */
module.exports = [
  ['xadd', 'XADD'],
  ['xlen', 'XLEN'],
  ['xdel', 'XDEL'],
  ['xtrim', 'XTRIM'],
  ['xrange', 'XRANGE', entries],
  ['xrevrange', 'XREVRANGE', entries],
  ['xread', 'XREAD', read],
  ['xreadgroup', 'XREADGROUP', read],
  ['xack', 'XACK'],
  ['xpending', 'XPENDING', pending],
  ['xclaim', 'XCLAIM', entries],
  ['xautoclaim', 'XAUTOCLAIM', claimed],
  ['xsetid', 'XSETID'],
  ['xgroupCreate', 'XGROUP CREATE'],
  ['xgroupCreateConsumer', 'XGROUP CREATECONSUMER', bool],
  ['xgroupDelConsumer', 'XGROUP DELCONSUMER'],
  ['xgroupDestroy', 'XGROUP DESTROY', bool],
  ['xgroupSetId', 'XGROUP SETID'],
  ['xinfoStream', 'XINFO STREAM', stream],
  ['xinfoGroups', 'XINFO GROUPS', listOfNamed],
  ['xinfoConsumers', 'XINFO CONSUMERS', listOfNamed],
];
