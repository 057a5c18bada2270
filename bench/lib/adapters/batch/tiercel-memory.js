'use strict';
// Tiercel's cache with both tiers.

const open = require('./tiercel');

module.exports = (server) => open(server, {});
