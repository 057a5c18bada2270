'use strict';
// For which answer a handler declared its freshness. A page that sets Cache-Control and then fails did not mean its
// error: frameworks send the error with the fields that are set already, and it would be everybody's for as long.

const EXPLICIT = new Set(['cache-control', 'expires']);

/**
 * @param {import('node:http').ServerResponse} res
 * @param {readonly string[]} targets targeted fields, in lower case
 * @returns {{ isOf: (head: import('../serve/response-head').Head) => boolean }} whether what a head says of freshness was said
 *   when the status was the kind that it is
 */
function watchDeclared(res, targets) {
  const { setHeader } = res;
  let status = 0;
  /** @this {import('node:http').ServerResponse} @param {[string, any]} args @returns {any} */
  function watchedSetHeader(...args) {
    const id = String(args[0]).toLowerCase();
    if (EXPLICIT.has(id) || targets.includes(id)) status = this.statusCode;
    return Reflect.apply(setHeader, this, args);
  }
  res.setHeader = watchedSetHeader;
  return {
    isOf(head) {
      if (head.status < 500 || status >= 500) return true;
      return ![...EXPLICIT, ...targets].some((id) => head.has(id));
    },
  };
}

module.exports = { watchDeclared };
