'use strict';
// The cases of one test, all at once: what they mostly do is wait, and that they can do together. A failure names the
// cases in which it happened.
//
//   await together(['in front', 'as middleware'], async (mount) => { … });

// Less than what Jest gives a test.
const LIMIT_MS = 100_000;

/**
 * @template Case
 * @param {readonly Case[]} cases whose strings name them
 * @param {(each: Case) => Promise<void>} body
 * @param {number} [limit] ms, for each
 */
async function together(cases, body, limit = LIMIT_MS) {
  const outcomes = await Promise.allSettled(cases.map((each) => limited(body(each), limit)));
  const failed = outcomes.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [{ name: nameOf(cases[at]), reason: outcome.reason }] : [],
  );
  if (failed.length === 0) return;
  const [{ name, reason }, ...others] = failed;
  const where = others.length === 0 ? name : `${name} (also: ${others.map((other) => other.name).join('; ')})`;
  throw said(where, reason);
}

/** @param {unknown} each */
function nameOf(each) {
  return [each]
    .flat()
    .filter((part) => typeof part === 'string')
    .join(', ');
}

/**
 * Fails before Jest does, which could not say where it is that nothing comes.
 * @param {Promise<void>} work
 * @param {number} limit
 */
function limited(work, limit) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not done after ${limit} ms`)), limit);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * The same error, which says where it was.
 * @param {string} where
 * @param {unknown} reason
 */
function said(where, reason) {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  const { message, stack = '' } = error;
  error.message = `${where}: ${message}`;
  // Jest prints the stack, which has the message from when it was made.
  error.stack = stack.includes(message) ? stack.replace(message, () => `${where}: ${message}`) : `${where}: ${stack}`;
  return error;
}

module.exports = { together };
