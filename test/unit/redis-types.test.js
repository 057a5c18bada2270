'use strict';
// The declared commands and the table of commands are the same.
const fs = require('node:fs');
const path = require('node:path');
const { METHODS } = require('../../lib/redis/commands');

test('every method of the table is declared, and no other', () => {
  const files = ['redis.d.ts', 'redis-commands.d.ts'].map((name) => path.join(__dirname, '../../types', name));
  const source = files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  const bodies = [...source.matchAll(/export interface \w+Commands<[^{]*\{\n([\s\S]*?)\n\}/g)].map(([, body]) => body);
  const methods = bodies.flatMap((body) => [...body.matchAll(/^ {2}(\w+)(?:<.*?>)?\(/gm)].map(([, name]) => name));
  const declared = new Set(methods);
  declared.delete('call');
  expect([...declared].sort()).toEqual(METHODS.map(([method]) => method).sort());
});
