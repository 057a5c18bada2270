'use strict';
// What people write by hand: MGET or a pipeline, and JSON.

const Redis = require('ioredis');

module.exports = async function open({ port }) {
  const client = new Redis({ host: '127.0.0.1', port });
  const get = async (keys) => (await client.mget(keys)).map((text) => (text === null ? undefined : JSON.parse(text)));
  const set = async (pairs) => {
    const pipeline = client.pipeline();
    for (const [key, value] of pairs) pipeline.set(key, JSON.stringify(value), 'PX', 600_000);
    return (await pipeline.exec()).every(([error]) => error === null);
  };
  return {
    get,
    set,
    async load(keys, load) {
      const values = await get(keys);
      const missing = keys.filter((_, at) => values[at] === undefined);
      if (missing.length === 0) return values;
      const loaded = new Map((await load(missing)).map((value, at) => [missing[at], value]));
      await set([...loaded]);
      return values.map((value, at) => value ?? loaded.get(keys[at]));
    },
    close: () => client.quit(),
  };
};
