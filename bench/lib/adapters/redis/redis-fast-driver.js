'use strict';
// redis-fast-driver: hiredis behind nan, with callbacks; a promise around each call, since that is what apps await.

const Redis = require('redis-fast-driver');

module.exports = async function connect({ port }) {
  const client = new Redis({ host: '127.0.0.1', port, doNotSetClientName: true, doNotRunQuitOnEnd: true });
  await new Promise((resolve) => client.once('connect', resolve));
  const call = (command) =>
    new Promise((resolve, reject) => {
      client.rawCall(command, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  return {
    get: (key) => call(['GET', key]),
    set: (key, value) => call(['SET', key, value]),
    mget: (keys) => call(['MGET', ...keys]),
    close: () => client.end(),
  };
};
