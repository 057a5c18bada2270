'use strict';
// createCodec: what entries are written with, what of them can be read, custom codecs, and what is refused.

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { isDeepStrictEqual } = require('node:util');
const { createCodec, detached, BYTES, JSON_TEXT, MSGPACK, TEXT, CUSTOM } = require('../../lib/cache/codecs');
const { RandomValues } = require('../helpers/random-value');

const json = createCodec();
const msgpack = createCodec('msgpack');
const root = path.join(__dirname, '../..');

const isolated = (script) =>
  execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8', timeout: 20_000 }).trim();

/** As the addon gives payloads back: text for JSON and strings, else bytes. */
function stored({ codec, payload }) {
  const bytes = Buffer.from(payload);
  return codec === JSON_TEXT || codec === TEXT ? bytes.toString() : bytes;
}

function there(codec, value) {
  const encoded = codec.encode(value, 'value');
  return codec.decode(encoded.codec, stored(encoded));
}

describe('what an entry is written with', () => {
  test('the numbers are those of the entries that are stored already', () => {
    expect({ BYTES, JSON_TEXT, MSGPACK, TEXT, CUSTOM }).toEqual({
      BYTES: 0,
      JSON_TEXT: 1,
      MSGPACK: 2,
      TEXT: 3,
      CUSTOM: 255,
    });
  });

  test.each([
    ['json', json, JSON_TEXT],
    ['msgpack', msgpack, MSGPACK],
  ])('%s: strings and bytes as they are, the rest encoded', (_name, codec, number) => {
    expect(codec.encode('a "b"', 'value')).toEqual({ codec: TEXT, payload: 'a "b"' });
    expect(codec.encode('', 'value')).toEqual({ codec: TEXT, payload: '' });
    const bytes = Buffer.from([1, 2]);
    expect(codec.encode(bytes, 'value').payload).toBe(bytes);
    expect(codec.encode(new Uint8Array(2), 'value').codec).toBe(BYTES);
    for (const value of [null, 0, false, {}, [], 'x\ud800']) {
      expect(there(codec, value)).toStrictEqual(value);
      expect(codec.encode(value, 'value').codec).toBe(typeof value === 'string' ? JSON_TEXT : number);
    }
  });

  test('a Uint8Array comes back as a Buffer, also a window into a larger one', () => {
    const window = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    for (const codec of [json, msgpack]) {
      const after = there(codec, window);
      expect(Buffer.isBuffer(after)).toBe(true);
      expect([...after]).toEqual([1, 2]);
      expect(codec.decode(BYTES, window)).toStrictEqual(Buffer.from([1, 2]));
    }
  });

  test('a detached payload does not change with the bytes it was made of', () => {
    const bytes = Buffer.from('abc');
    const { payload } = detached(json.encode(bytes, 'value'));
    bytes.fill(0);
    expect(String(payload)).toBe('abc');
  });

  test('msgpack: a dictionary is JSON, unless it holds what JSON cannot', () => {
    const dictionary = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i]));
    expect(msgpack.encode({ dictionary }, 'value').codec).toBe(JSON_TEXT);
    expect(there(msgpack, { dictionary })).toStrictEqual({ dictionary });
    expect(msgpack.encode({ dictionary, at: new Date(1) }, 'value').codec).toBe(MSGPACK);
    expect(there(msgpack, { dictionary, at: new Date(1) })).toStrictEqual({ dictionary, at: new Date(1) });
    expect(msgpack.encode({ dictionary, at: undefined }, 'value').codec).toBe(MSGPACK);
  });

  test('an earlier payload of msgpack is not written over by the next', () => {
    const first = msgpack.encode({ a: 'first' }, 'value');
    for (let i = 0; i < 100; i++) msgpack.encode({ b: `next ${i}` }, 'value');
    expect(msgpack.decode(first.codec, first.payload)).toStrictEqual({ a: 'first' });
  });

  test('the value that msgpack gives does not change with the payload it was made of', () => {
    const { payload } = msgpack.encode({ bytes: Buffer.from('abc') }, 'value');
    const { bytes } = msgpack.decode(MSGPACK, payload);
    payload.fill(0);
    expect(String(bytes)).toBe('abc');
  });
});

describe('what can be read', () => {
  test('entries of another built-in codec than the configured one', () => {
    const value = { a: [1, { b: 'c' }] };
    expect(json.decode(MSGPACK, msgpack.encode(value, 'value').payload)).toStrictEqual(value);
    expect(msgpack.decode(JSON_TEXT, json.encode(value, 'value').payload)).toStrictEqual(value);
    const custom = createCodec({ name: 'c', encode: () => 'x', decode: () => 'custom' });
    expect(custom.decode(MSGPACK, msgpack.encode(value, 'value').payload)).toStrictEqual(value);
    expect(custom.decode(TEXT, 'text')).toBe('text');
  });

  test('not entries of a custom codec that is not there, nor of a codec to come', () => {
    for (const codec of [json, msgpack]) {
      expect(codec.decode(CUSTOM, Buffer.from('"x"'))).toBeUndefined();
      expect(codec.decode(4, Buffer.from('1'))).toBeUndefined();
    }
  });

  test.each([
    [JSON_TEXT, '{"a":'],
    [JSON_TEXT, ''],
    [MSGPACK, Buffer.alloc(0)],
    [MSGPACK, Buffer.from([0, 0, 0, 0])],
    [MSGPACK, Buffer.from([0, 0, 0, 0, 0xc1 + 5])],
    [MSGPACK, Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    [MSGPACK, 'text'],
    [MSGPACK, Buffer.from('\0\0\0\u0002{}\u0001')],
    [MSGPACK, Buffer.from('\0\0\0\u0005[[1]]\u0001')],
    [MSGPACK, Buffer.from('\0\0\0\u000f[["__proto__"]]@\u0001')],
    // An array that refers to itself: nobody could copy it, freeze it or write it again.
    [MSGPACK, Buffer.from([0, 0, 0, 0, 0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1])],
    [MSGPACK, Buffer.from([0, 0, 0, 0, 1, 1])],
  ])('codec %i, %p: nothing', (number, payload) => {
    expect(json.decode(number, payload)).toBeUndefined();
  });

  test('msgpack: any bit of a payload may flip, and cut it anywhere; nothing throws, nothing is polluted', () => {
    const values = new RandomValues(7);
    const good = { a: [{ id: 1, t: 'x' }, { id: 2, t: 'y' }], d: new Date(5), m: new Map([[1, 2]]) }; // prettier-ignore
    const { payload } = msgpack.encode(good, 'value');
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const broken = Buffer.from(payload);
      broken[bit >> 3] ^= 1 << (bit & 7);
      msgpack.decode(MSGPACK, broken);
    }
    for (let end = 0; end < payload.length; end++) {
      expect(msgpack.decode(MSGPACK, payload.subarray(0, end))).toBeUndefined();
    }
    for (let i = 0; i < 3000; i++) {
      const noise = Buffer.from(Array.from({ length: values.below(60) }, () => values.below(256)));
      msgpack.decode(MSGPACK, Buffer.concat([Buffer.from([0, 0, 0, 0]), noise]));
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    // The readers that were used for all of this still read what is good.
    expect(isDeepStrictEqual(msgpack.decode(MSGPACK, payload), good)).toBe(true);
  });

  test('msgpack: a payload that defines a shape anew does not change what the next one reads', () => {
    const { payload } = msgpack.encode({ id: 1 }, 'value');
    const shapes = '[["id"]]';
    expect(payload.toString('latin1', 4, 12)).toBe(shapes);
    const redefined = Buffer.concat([
      Buffer.from([0, 0, 0, 8]),
      Buffer.from(shapes),
      // [0x40 defined as ["no"] with the value 2]
      Buffer.from([0x91, 0xd4, 0x72, 0x40, 0x91, 0xa2, 0x6e, 0x6f, 0x02]),
    ]);
    expect(msgpack.decode(MSGPACK, redefined)).toStrictEqual([{ no: 2 }]);
    expect(msgpack.decode(MSGPACK, payload)).toStrictEqual({ id: 1 });
    // The same, and then it breaks off.
    expect(msgpack.decode(MSGPACK, redefined.subarray(0, -1))).toBeUndefined();
    expect(msgpack.decode(MSGPACK, payload)).toStrictEqual({ id: 1 });
  });

  test('msgpack: entries of one process are read by another', () => {
    const value = { rows: [{ id: 1, tags: ['a'] }, { id: 2, tags: [] }], at: new Date(7) }; // prettier-ignore
    msgpack.encode({ other: { shapes: 1 } }, 'value');
    const hex = msgpack.encode(value, 'value').payload.toString('hex');
    const out = isolated(`
      const { createCodec } = require('./lib/cache/codecs');
      const codec = createCodec('json');
      createCodec('msgpack').encode({ something: { quite: 'different' } }, 'value');
      console.log(JSON.stringify(codec.decode(2, Buffer.from('${hex}', 'hex'))));`);
    expect(out).toBe(JSON.stringify(value));
  });

  test('msgpack: more sets of shapes than readers are kept', () => {
    const payloads = Array.from({ length: 1000 }, (_, i) => msgpack.encode({ [`key${i}`]: i }, 'value').payload);
    for (let round = 0; round < 2; round++) {
      payloads.forEach((payload, i) => expect(msgpack.decode(MSGPACK, payload)).toStrictEqual({ [`key${i}`]: i }));
    }
  });

  test('msgpack: values larger than any buffer that is kept', () => {
    const large = {
      text: 'é'.repeat(3_000_000),
      rows: Array.from({ length: 20_000 }, (_, i) => ({ i, s: `row ${i}` })),
    };
    expect(isDeepStrictEqual(there(msgpack, large), large)).toBe(true);
    expect(there(msgpack, { a: 1 })).toStrictEqual({ a: 1 });
  });

  test('typed arrays', () => {
    expect(execFileSync(process.execPath, ['test/helpers/codec-types.js'], { cwd: root, encoding: 'utf8' })).toBe(
      '15 types\n',
    );
  });
});

describe('random values', () => {
  test('what JSON holds comes back equal from both, in the same order of keys', () => {
    const values = new RandomValues(1);
    for (let i = 0; i < 300; i++) {
      const value = values.json();
      const expected = JSON.parse(JSON.stringify(value));
      for (const codec of [json, msgpack]) {
        const after = there(codec, value);
        if (!isDeepStrictEqual(after, expected) || JSON.stringify(after) !== JSON.stringify(value)) {
          throw new Error(`value ${i} of seed 1, ${codec.name}: ${JSON.stringify(value)}`);
        }
      }
    }
  });

  test('what MessagePack holds comes back equal', () => {
    const values = new RandomValues(2);
    for (let i = 0; i < 300; i++) {
      const value = { value: values.rich() };
      if (!isDeepStrictEqual(there(msgpack, value), value)) throw new Error(`value ${i} of seed 2`);
    }
  });
});

describe('what is refused', () => {
  const cycle = { inner: [{}] };
  cycle.inner[0].up = cycle;
  const map = new Map();
  map.set('self', map);
  let deep = {};
  for (let i = 0; i < 100_000; i++) deep = { deep };

  test.each([
    ['json', json, cycle, /^what: JSON cannot hold it: it is circular, an object holds itself at inner\[0\]\.up$/],
    ['msgpack', msgpack, cycle, /^what: MessagePack cannot hold it: it is circular, an object holds itself at inner\[0\]\.up$/],
    ['msgpack', msgpack, map, /circular/],
    ['json', json, deep, /^what: JSON cannot hold it: it is nested too deeply$/],
    ['msgpack', msgpack, deep, /^what: MessagePack cannot hold it: it is nested deeper than 500 levels$/],
    ['json', json, { a: [{ b: 1n }] }, /^what: JSON cannot hold it: it holds a BigInt at a\[0\]\.b; codec: 'msgpack' can, or make it a string$/],
    ['json', json, 1n, /BigInt; codec: 'msgpack' can/],
    ['json', json, NaN, /^what: JSON cannot hold NaN; codec: 'msgpack' can$/],
    ['json', json, new Map(), /^what: JSON cannot hold an instance of Map; codec: 'msgpack' can$/],
    ['json', json, new Error('x'), /JSON cannot hold an instance of Error; codec: 'msgpack' can$/],
    ['json', json, new Date(NaN), /JSON cannot hold an invalid Date/],
    ['json', json, Promise.resolve(), /JSON cannot hold a Promise; await it first$/],
    ['json', json, { toJSON: () => undefined }, /^what: JSON cannot hold /],
    ['json', json, { toJSON() { throw new Error('not now'); } }, /^what: JSON cannot hold it: not now$/],
    ['msgpack', msgpack, { at: new Date(0), text: '\ud800' }, /^what: MessagePack cannot hold half a surrogate pair in text at text; JSON could, but not Date at at$/],
  ])('%s, case %#', (_name, codec, value, message) => {
    expect(() => codec.encode(value, 'what')).toThrow(TypeError);
    expect(() => codec.encode(value, 'what')).toThrow(message);
    // And the codec is as good as before.
    expect(there(codec, { a: [1] })).toStrictEqual({ a: [1] });
  }); // prettier-ignore

  describe.each([
    ['json', json, 'JSON'],
    ['msgpack', msgpack, 'MessagePack'],
  ])('%s: a value that throws', (_name, codec, form) => {
    const throwing = (thrown) => () => {
      throw thrown;
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    test.each([
      ['an error in toJSON()', { toJSON: throwing(new Error('broken')) }, 'broken'],
      ['a RangeError', { toJSON: throwing(new RangeError('Invalid time value')) }, 'Invalid time value'],
      ['null', { toJSON: throwing(null) }, 'null'],
      [
        'undefined in a getter',
        { a: [Object.defineProperty({}, 'b', { enumerable: true, get: throwing(undefined) })] },
        'undefined',
      ],
      ['what has no text', { toJSON: throwing(Object.create(null)) }, 'what it throws cannot be described'],
      [
        'an error in the getter toJSON',
        Object.defineProperty({}, 'toJSON', { enumerable: true, get: throwing(new Error('broken')) }),
        'broken',
      ],
      ['a proxy that was revoked', revoked.proxy, /revoked/],
    ])('%s', (_what, value, reason) => {
      const text = typeof reason === 'string' ? `value: ${form} cannot hold it: ${reason}` : reason;
      expect(() => codec.encode(value, 'value')).toThrow(TypeError);
      expect(() => codec.encode(value, 'value')).toThrow(text);
    });
  });

  test('one object in two places is no cycle, and comes back as two', () => {
    const shared = { a: new Set([1]) };
    const [one, two] = there(msgpack, [shared, shared]);
    expect(one).toStrictEqual(shared);
    expect(one).not.toBe(two);
  });
});

describe('a codec of the application', () => {
  const reversing = {
    name: 'reversing',
    encode: (value) => Buffer.from(JSON.stringify(value)).reverse(),
    decode: (data) => JSON.parse(Buffer.from(data).reverse().toString()),
  };

  test('sees every value, also strings and bytes, and is given Buffers', () => {
    const seen = [];
    const codec = createCodec({
      name: 'text',
      encode: (value) => `<${String(value)}>`,
      decode(data) {
        seen.push(Buffer.isBuffer(data));
        return data.toString().slice(1, -1);
      },
    });
    expect(codec.encode('naïve', 'value')).toEqual({ codec: CUSTOM, payload: '<naïve>' });
    expect(there(codec, 'naïve')).toBe('naïve');
    expect(there(codec, Buffer.from('b'))).toBe('b');
    expect(codec.decode(CUSTOM, new Uint8Array([60, 97, 62]))).toBe('a');
    expect(codec.decode(CUSTOM, '<é>')).toBe('é');
    expect(seen).toEqual([true, true, true, true]);
  });

  test('may be an instance of a class', () => {
    class Shift {
      name = 'shift';
      #by = 1;
      encode(value) {
        return Buffer.from([value + this.#by]);
      }
      decode(data) {
        return data[0] - this.#by;
      }
    }
    expect(there(createCodec(new Shift()), 7)).toBe(7);
    expect(there(createCodec(reversing), { a: [1, 'x'] })).toStrictEqual({ a: [1, 'x'] });
  });

  test('that cannot encode: whose fault it is, and the cause', () => {
    const cause = new Error('too odd');
    const codec = createCodec({ ...reversing, encode() { throw cause; } }); // prettier-ignore
    expect(() => codec.encode(1, 'value')).toThrow("value: the codec 'reversing' cannot hold it: too odd");
    try {
      codec.encode(1, 'value');
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error.cause).toBe(cause);
    }
  });

  test.each([[undefined], [null], [7], [{}], [Promise.resolve('x')], ['\ud800']])('that returns %p', (payload) => {
    const codec = createCodec({ ...reversing, encode: () => payload });
    expect(() => codec.encode(1, 'value')).toThrow(/^value: encode\(\) of the codec 'reversing' must return a Buffer or a string, got /);
  }); // prettier-ignore

  test('that cannot decode: a miss', () => {
    expect(createCodec(reversing).decode(CUSTOM, Buffer.from('garbage'))).toBeUndefined();
  });

  test.each([
    ['xml', "codec: expected 'json', 'msgpack' or an object { name, encode, decode }, got 'xml'"],
    [null, 'codec: expected'],
    [() => 1, 'codec: expected'],
    [{}, 'codec.name: expected a string that is not empty, got undefined'],
    [{ name: 'x', encode: () => '' }, 'codec.decode: expected a function, got undefined'],
    [{ name: 'x', decode: () => '', encode: true }, 'codec.encode: expected a function, got true'],
  ])('%p is refused', (option, message) => {
    expect(() => createCodec(option)).toThrow(TypeError);
    expect(() => createCodec(option)).toThrow(message);
  });
});

describe('without msgpackr', () => {
  const missing = `
    const Module = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      return resolve.call(this, name === 'msgpackr' ? 'a-package-that-is-not-there' : name, ...rest);
    };
    const { createCodec } = require('./lib/cache/codecs');`;

  test('the codec says what to install', () => {
    const out = isolated(`${missing} try { createCodec('msgpack') } catch (e) { console.log(e.code, e.message) }`);
    expect(out).toBe("MISSING_PACKAGE codec: 'msgpack' needs the package msgpackr: npm install msgpackr");
  });

  test('entries of it are misses, and JSON works', () => {
    const hex = msgpack.encode({ a: 1 }, 'value').payload.toString('hex');
    const out = isolated(`${missing} const codec = createCodec();
      console.log(codec.decode(2, Buffer.from('${hex}', 'hex')), codec.encode({ a: 1 }, 'value').payload)`);
    expect(out).toBe('undefined {"a":1}');
  });

  test('and it is not loaded before it is needed', () => {
    const out = isolated(`require('./lib/cache/codecs').createCodec().encode({ a: 1 }, 'value');
      console.log(Object.keys(require.cache).some((file) => file.includes('msgpackr')))`);
    expect(out).toBe('false');
  });
});
