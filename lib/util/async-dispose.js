'use strict';
// What `await using` calls. Node has the symbol from 20.4 on; compiled TypeScript that runs on an older one asks for this.
module.exports = /** @type {typeof Symbol.asyncDispose} */ (Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'));
