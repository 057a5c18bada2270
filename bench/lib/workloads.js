'use strict';
// The work of each benchmark: what one operation is, what must be there before, and what proves that it was done.
// A workload is { operate(i): Promise, isRight(result, i): boolean, verify(operations): Promise, close() }.

const KEYS = 1000;
const MAX_BYTES = 16 << 20; // of all values of one size
const PER_MGET = 100;
const CACHE_KEYS = 2000;

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

async function inBatches(count, size, work) {
  for (let i = 0; i < count; i += size) await Promise.all(range(i, Math.min(i + size, count)).map(work));
}

/** GET, SET or MGET of values of one size. */
async function redisWorkload({ adapter, op, bytes, server }) {
  const client = await require(`./adapters/redis/${adapter}`)(server);
  const count = Math.min(KEYS, Math.floor(MAX_BYTES / bytes));
  const keys = range(0, count).map((i) => `${adapter}:${op}:${bytes}:${i}`);
  // Every key has a value of its own: a reply that reaches the wrong command must not pass for the right one, and a
  // client must not gain from replies that are all alike.
  const valuesOf = (letter) => keys.map((key) => `${key}:`.padEnd(bytes, letter));
  const before = valuesOf('b');
  await inBatches(count, 100, (i) => client.set(keys[i], before[i]));

  const after = op === 'set' ? valuesOf('a') : before;
  const lists =
    op === 'mget' ? range(0, count / PER_MGET).map((i) => keys.slice(i * PER_MGET, (i + 1) * PER_MGET)) : [];
  const isWhole = (values, list) => values.every((value, j) => value === before[list * PER_MGET + j]);
  const operations = {
    get: { operate: (i) => client.get(keys[i % count]), isRight: (result, i) => result === before[i % count] },
    set: { operate: (i) => client.set(keys[i % count], after[i % count]), isRight: (result) => result === 'OK' },
    mget: {
      operate: (i) => client.mget(lists[i % lists.length]),
      isRight: (result, i) => result.length === PER_MGET && isWhole(result, i % lists.length),
    },
  };
  return {
    ...operations[op],
    // What a SET wrote is read back, from every key that was reached.
    async verify(done) {
      await inBatches(Math.min(done, count), 100, async (i) => {
        if ((await client.get(keys[i])) !== after[i]) throw new Error(`${adapter}: wrong value under ${keys[i]}`);
      });
    },
    close: () => client.close(),
  };
}

/** A JSON object of about 2 KB, as an API would cache it. */
function product(id) {
  return {
    id,
    name: `product ${id}`,
    tags: range(0, 20).map((i) => `tag-${i}`),
    variants: range(0, 28).map((i) => ({ id: i, title: `variant number ${i}`, price: i * 1.25, stock: i % 2 === 0 })),
  };
}

/** getOrSet of keys that are all stored, each with an object of its own. */
async function cacheWorkload({ adapter, tier, server }) {
  let loads = 0;
  const prefix = `${adapter}-${tier}-`;
  const load = async (key) => {
    loads++;
    return product(Number(key.slice(prefix.length)));
  };
  const memory = tier === 'memory';
  const cache = await require(`./adapters/cache/${adapter}`)({ ...server, memory, load });
  const keys = range(0, CACHE_KEYS).map((i) => prefix + i);
  await inBatches(CACHE_KEYS, 50, (i) => cache.getOrSet(keys[i]));
  const loaded = loads;

  return {
    // Memory hits never wait for anything: the loop must be let go now and then, as any server does.
    yields: memory,
    operate: (i) => cache.getOrSet(keys[i % CACHE_KEYS]),
    isRight: (value, i) => value?.id === i % CACHE_KEYS && value.variants.length === 28,
    async verify() {
      if (loads !== loaded) throw new Error(`${adapter}: ${loads - loaded} loads in a run that should have hits alone`);
      await inBatches(CACHE_KEYS, 50, async (i) => {
        const value = await cache.getOrSet(keys[i]);
        if (JSON.stringify(value) !== JSON.stringify(product(i))) {
          throw new Error(`${adapter}: wrong value of ${keys[i]}`);
        }
      });
    },
    close: () => cache.close(),
  };
}

/** getMany, setMany or getOrSetMany of 100 keys, each with an object of its own. */
async function batchWorkload({ adapter, op, server }) {
  const client = await require(`./adapters/batch/${adapter}`)(server);
  const keys = range(0, KEYS).map((i) => `${adapter}:${op}:${i}`);
  const value = (i) => ({ id: i, name: `${keys[i]}:`.padEnd(150, 'x') });
  const pairs = keys.map((key, i) => [key, value(i)]);
  await inBatches(KEYS / PER_MGET, 1, (i) => client.set(pairs.slice(i * PER_MGET, (i + 1) * PER_MGET)));
  const from = (i) => (i * 37) % (KEYS - PER_MGET);
  const neverLoads = () => {
    throw new Error(`${adapter}: a load in a run that should have hits alone`);
  };
  const isWhole = (values, i) =>
    values.length === PER_MGET &&
    values.every((one, at) => one?.id === from(i) + at && one.name === pairs[one.id][1].name);
  const some = (all, i) => all.slice(from(i), from(i) + PER_MGET);
  const operations = {
    get: { operate: (i) => client.get(some(keys, i)), isRight: isWhole },
    load: { operate: (i) => client.load(some(keys, i), neverLoads), isRight: isWhole },
    set: { operate: (i) => client.set(some(pairs, i)), isRight: (result) => result === true },
  };
  return {
    ...operations[op],
    yields: true,
    async verify() {
      const all = await client.get(keys);
      if (!all.every((one, i) => JSON.stringify(one) === JSON.stringify(value(i)))) {
        throw new Error(`${adapter}: wrong values`);
      }
    },
    close: () => client.close(),
  };
}

module.exports = {
  batch: batchWorkload,
  redis: redisWorkload,
  cache: cacheWorkload,
  session: (one) => require('./session-workload')(one),
};
