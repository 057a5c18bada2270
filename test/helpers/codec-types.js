'use strict';
// Runs outside Jest, whose typed arrays are of another realm than Node's: do they survive MessagePack, and a copy?
const assert = require('node:assert');
const { createCodec } = require('../../lib/cache/codecs');
const { planCopy, copyOf } = require('../../lib/cache/copy');

const codec = createCodec('msgpack');
const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 3);
const values = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
].map((Type) => new Type(bytes.buffer, 8, 3));
values.push(bytes.buffer, new DataView(bytes.buffer, 8, 16), Buffer.from(bytes), new Float64Array(100_000).fill(0.1));

for (const value of values) {
  const after = codec.decode(2, codec.encode({ value }, 'value').payload).value;
  assert.strictEqual(Object.getPrototypeOf(after), Object.getPrototypeOf(value));
  assert.deepStrictEqual(after, value);
  const plan = planCopy({ value });
  const copied = copyOf(plan).value;
  assert.strictEqual(Object.getPrototypeOf(copied), Object.getPrototypeOf(value));
  assert.deepStrictEqual(copied, value);
  // Of other memory: writing to one does not show in the other.
  const [before, view] = [value, copied].map((v) =>
    v.buffer ? new Uint8Array(v.buffer, v.byteOffset, v.byteLength) : new Uint8Array(v),
  );
  view[0] ^= 255;
  assert.notStrictEqual(before[0], view[0]);
}
console.log(`${values.length} types`);
