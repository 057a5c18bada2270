'use strict';
const { createCache } = require('tiercel');
const cache = createCache({ redis: false });
const load = () => ({ from: 'the loader' });
cache
  .getOrSet('answer', load)
  .then(async (value) => console.log(value.from, await cache.has('answer'), await cache.close()));
