'use strict';
// RFC 9213 fields are RFC 9651 dictionaries, and what does not parse as one is ignored as a whole.
const { parseTargeted } = require('../../lib/http/rfc/targeted-field');

/** @param {string} field */
const parse = (field) => {
  const directives = parseTargeted(field);
  return directives && Object.fromEntries(directives);
};

/** @type {Array<[string, Record<string, string | true>]>} */
const dictionaries = [
  ['max-age=60', { 'max-age': '60' }],
  ['max-age=60, no-store', { 'max-age': '60', 'no-store': true }],
  ['max-age=60,no-store', { 'max-age': '60', 'no-store': true }],
  ['max-age=60\t,\t no-store', { 'max-age': '60', 'no-store': true }],
  ['  max-age=60  ', { 'max-age': '60' }],
  ['no-store=?1', { 'no-store': true }],
  // The last of repeated keys counts, unlike in Cache-Control.
  ['max-age=1, max-age=60', { 'max-age': '60' }],
  ['no-store, no-store=?0, max-age=5', { 'max-age': '5' }],
  // Parameters and unknown types are well formed, and mean nothing.
  ['max-age=60;ext, no-store;a="b, c";d=?0', { 'max-age': '60', 'no-store': true }],
  ['max-age=60; ext=1', { 'max-age': '60' }],
  ['max-age=60, x=(a "b";p 1 );c=2', { 'max-age': '60' }],
  ['max-age=60, x=()', { 'max-age': '60' }],
  ['max-age=60, x=:aGk=:', { 'max-age': '60', x: true }],
  ['max-age=60, x=@1659578233', { 'max-age': '60', x: true }],
  ['*x=1', { '*x': '1' }],
  // Of the wrong type: a directive, but no number of seconds.
  ['max-age="60"', { 'max-age': 'invalid' }],
  ['max-age=1.5', { 'max-age': 'invalid' }],
  ['s-maxage=token', { 's-maxage': 'invalid' }],
  ['stale-while-revalidate="9"', { 'stale-while-revalidate': 'invalid' }],
  ['max-age=60, private="a, b"', { 'max-age': '60', private: true }],
  ['max-age=-5', { 'max-age': '-5' }],
];
test.each(dictionaries)('%s', (field, expected) => {
  expect(parse(field)).toEqual(expected);
});

test.each([
  ['', 'empty'],
  ['   ', 'empty'],
  ['max-age=60,', 'a comma at the end'],
  [',max-age=60', 'a comma at the start'],
  ['max-age=60,,no-store', 'an empty member'],
  ['max-age=60 no-store', 'no comma'],
  ['Max-Age=60', 'a key in upper case'],
  ['max-age =60', 'a space before ='],
  ['max-age= 60', 'a space behind ='],
  ['max-age=', 'no value'],
  ['max-age=60, 1x', 'a key that begins with a digit'],
  ['max-age=60, x="a', 'a string without an end'],
  ['max-age=60, x="\\a"', 'an escape that is none'],
  ['max-age=60, x="\u00e9"', 'a string that is not ASCII'],
  ['max-age=60, x=?2', 'a boolean that is none'],
  ['max-age=60, x=(a', 'an inner list without an end'],
  ['max-age=60, x=(a"b")', 'inner list members without a space'],
  ['max-age=1234567890123456', 'more than 15 digits'],
  ['max-age=60;', 'a parameter without a key'],
  ["max-age='60'", 'single quotes'],
  ['max-age=1.2345', 'more than three decimals'],
  ['max-age=1.', 'a decimal point and nothing'],
])('%j is ignored: %s', (field) => {
  expect(parse(field)).toBeUndefined();
});
