'use strict';
// bentocache whose memory tier hands out the stored object itself.

const open = require('./bentocache');

module.exports = (options) => open(options, { serialize: false });
