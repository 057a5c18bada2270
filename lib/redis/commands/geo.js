'use strict';
// Places on the globe, in sorted sets.
const { number, numbers } = require('../replies');

// What may be asked for beside the members, in the order in which it comes.
const EXTRAS = [
  { word: 'WITHDIST', name: 'distance', convert: number },
  { word: 'WITHHASH', name: 'hash', convert: number },
  { word: 'WITHCOORD', name: 'position', convert: numbers },
];

/** @type {import('../types').Choice} */
function found(args) {
  // The key and the member of FROMMEMBER may be called anything.
  const words = args.map((arg) => String(arg).toUpperCase());
  const asked = EXTRAS.filter(({ word }) =>
    words.some((given, index) => given === word && index > 0 && words[index - 1] !== 'FROMMEMBER'),
  );
  if (asked.length === 0) return undefined;
  return (/** @type {any[][]} */ reply) =>
    reply.map(([member, ...extras]) => {
      const entries = asked.map(({ name, convert }, index) => [name, convert(extras[index])]);
      return { member, ...Object.fromEntries(entries) };
    });
}

const positions = (/** @type {any[]} */ reply) => reply.map((one) => (one === null ? null : numbers(one)));

/** @type {import('../types').Row[]} */
module.exports = [
  ['geoadd', 'GEOADD'],
  ['geodist', 'GEODIST', number],
  ['geohash', 'GEOHASH'],
  ['geopos', 'GEOPOS', positions],
  ['geosearch', 'GEOSEARCH', undefined, found],
  ['geosearchstore', 'GEOSEARCHSTORE'],
];
