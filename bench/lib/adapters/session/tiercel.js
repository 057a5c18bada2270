'use strict';
// Tiercel's SessionStore.

const { createRedis } = require('../../../..');
const { SessionStore } = require('../../../../lib/session');

module.exports = async function open({ url }) {
  const redis = createRedis(url);
  await redis.ping();
  return { store: new SessionStore({ redis }), close: () => redis.close() };
};
