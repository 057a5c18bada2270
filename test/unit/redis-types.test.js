'use strict';
// The declared commands and the table of commands are the same.
const fs = require('node:fs');
const path = require('node:path');
const { METHODS } = require('../../lib/redis/commands');

test('every method of the table is declared, and no other', () => {
  const source = fs.readFileSync(path.join(__dirname, '../../types/redis.d.ts'), 'utf8');
  const body = /export interface RedisCommands<[\s\S]*?> \{\n([\s\S]*?)\n\}/.exec(source)[1];
  const declared = new Set([...body.matchAll(/^ {2}(\w+)(?:<[^>]*>)?\(/gm)].map(([, name]) => name));
  declared.delete('call');
  expect([...declared].sort()).toEqual(METHODS.map(([method]) => method).sort());
});
