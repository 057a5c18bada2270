'use strict';
// dump() and load(): what memory holds, to start warm after a deploy. With Redis a snapshot is a list of keys: load()
// reads them again, so that nothing that has changed meanwhile comes back. Without, it holds the entries.
const { describe } = require('../options/invalid');
const { nextTurn } = require('../timers');

const MAGIC = Buffer.from('TIERCEL\x01', 'latin1');
const HEADER = 20; // magic, u32 flags, u64 wall-clock ms
const WITH_ENTRIES = 1;
const AT_ONCE = 256;
// Between two turns of the loop.
const MOST_BYTES = 4 << 20;
const MOST_MS = 4;

/** @typedef {import('./tiered-store').TieredStoreInstance} TieredStore */

/**
 * @param {TieredStore} tiers
 * @returns {Promise<Buffer>} 8 bytes magic, u32 flags, u64 time, then per entry u32 length and key, u32 length and envelope
 */
async function dump(tiers) {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeUInt32LE(tiers.local ? WITH_ENTRIES : 0, 8);
  header.writeBigUInt64LE(BigInt(Date.now()), 12);
  /** @type {Uint8Array[]} */
  const parts = [header];
  for await (const part of tiers.dump(tiers.local)) parts.push(part);
  // Buffer.concat() would copy all of it in one turn.
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  let pause = MOST_BYTES;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    if (at < pause) continue;
    pause = at + MOST_BYTES;
    await nextTurn();
  }
  return whole;
}

/**
 * @param {TieredStore} tiers
 * @param {unknown} snapshot
 * @param {number} maxTtl ms
 * @returns {Promise<number>} how many entries are in memory now that were not
 */
async function load(tiers, snapshot, maxTtl) {
  if (!(snapshot instanceof Uint8Array)) {
    throw new TypeError(`snapshot: expected what dump() returned, got ${describe(snapshot)}`);
  }
  const bytes = Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  if (bytes.length < HEADER || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw new TypeError('snapshot: these bytes are not what dump() of this version returns');
  }
  const elapsed = Math.max(0, Date.now() - Number(bytes.readBigUInt64LE(12)));
  let loaded = 0;
  /** @type {string[]} */
  let keys = [];
  const readAgain = async () => {
    const found = await Promise.all(keys.map((key) => tiers.read(key, true, true)));
    loaded += found.filter((hit) => hit !== undefined).length;
    keys = [];
  };
  let began = performance.now();
  for (const [key, envelope] of entriesIn(bytes)) {
    if (performance.now() - began >= MOST_MS) {
      await nextTurn();
      began = performance.now();
    }
    if (tiers.local) {
      if (envelope.length > 0 && tiers.load(key, envelope, elapsed, maxTtl)) loaded++;
    } else if (tiers.peekWhole(key, true) === undefined) {
      keys.push(key);
      if (keys.length === AT_ONCE) await readAgain();
    }
  }
  if (keys.length > 0) await readAgain();
  return loaded;
}

/**
 * @param {Buffer} bytes
 * @param {number} [from]
 * @returns {Generator<[string, Buffer]>}
 */
function* entriesIn(bytes, from = HEADER) {
  let at = from;
  const next = () => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : Infinity;
    if (at + 4 + length > bytes.length) throw new TypeError('snapshot: it ends in the middle of an entry');
    const part = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  while (at < bytes.length) {
    const key = next().toString();
    yield [key, next()];
  }
}

module.exports = { dump, load, entriesIn };
