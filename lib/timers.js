'use strict';
// The timers of this package, taken when it is loaded: a test that installs fake timers later must not keep close(), a
// lease or a lock waiting for ever. What a user asks for by `timeout` and `softTimeout` does follow fake timers.
const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = require('node:timers');

/**
 * After the loop has seen to everything else that is due.
 * @returns {Promise<void>}
 */
const nextTurn = () => new Promise((resolve) => void setImmediate(resolve));

module.exports = { clearInterval, clearTimeout, nextTurn, setImmediate, setInterval, setTimeout };
