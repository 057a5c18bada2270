'use strict';
// What people write by hand: ioredis (auto-pipelining) and JSON.

const Redis = require('ioredis');

module.exports = async function open({ port, load }) {
  const client = new Redis({ host: '127.0.0.1', port, enableAutoPipelining: true });
  const getOrSet = async (key) => {
    const stored = await client.get(key);
    if (stored !== null) return JSON.parse(stored);
    const value = await load(key);
    await client.set(key, JSON.stringify(value), 'EX', 600);
    return value;
  };
  return { getOrSet, close: () => client.quit() };
};
