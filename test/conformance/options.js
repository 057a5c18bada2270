'use strict';
// The options of cacheResponse that each profile is measured with.

/** @typedef {'safe' | 'standards'} Profile */

// The proxy behind the cache reads every field of a request, to send it on.
/** @type {Record<Profile, object>} */
const PROFILES = {
  safe: { profile: 'safe', warnings: false },
  standards: { profile: 'standards', warnings: false },
};

module.exports = { PROFILES };
