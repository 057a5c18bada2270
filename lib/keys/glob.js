'use strict';
// Patterns of keys as Redis has them, and the literal forms of strings in them.

/** @param {string} char */
const escapeRegExp = (char) => char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/**
 * A pattern that matches exactly this text.
 * @param {string} text
 */
function escapeGlob(text) {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

/**
 * Whether `[…]`, `*` or `?` stand in it, unescaped.
 * @param {string} text
 */
function isGlob(text) {
  return /(^|[^\\])(\\\\)*[*?[]/.test(text);
}

/**
 * The same pattern as a regular expression, for keys of this process.
 * @param {string} pattern
 */
function globToRegExp(pattern) {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '*') source += '[^]*';
    else if (char === '?') source += '[^]';
    else if (char === '\\' && i + 1 < pattern.length) source += escapeRegExp(pattern[++i]);
    else if (char === '[') {
      const end = endOfSet(pattern, i + 1);
      source += setSource(pattern.slice(i + 1, end));
      i = end;
    } else source += escapeRegExp(char);
  }
  return new RegExp(`^${source}$`);
}

/**
 * @param {string} pattern
 * @param {number} from
 */
function endOfSet(pattern, from) {
  let at = pattern[from] === '^' ? from + 1 : from;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return Math.min(at, pattern.length);
}

/** @param {string} set without its brackets */
function setSource(set) {
  const negated = set[0] === '^';
  let body = '';
  for (let i = negated ? 1 : 0; i < set.length; i++) {
    if (set[i] === '\\' && i + 1 < set.length) body += escapeRegExp(set[++i]);
    else if (set[i + 1] === '-' && i + 2 < set.length) {
      const [low, high] = set[i] <= set[i + 2] ? [set[i], set[i + 2]] : [set[i + 2], set[i]];
      body += `${escapeRegExp(low)}-${escapeRegExp(high)}`;
      i += 2;
    } else body += escapeRegExp(set[i]);
  }
  if (body === '') return negated ? '[^]' : '(?!)';
  return negated ? `[^${body}]` : `[${body}]`;
}

module.exports = { escapeGlob, isGlob, globToRegExp };
