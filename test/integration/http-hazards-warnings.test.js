'use strict';
// What no cache can prevent: a handler reads a field that its answer is not told apart by, and does not say Vary. In
// development a warning names the field; in a process of its own, whose warnings can be seen.
const { runScript } = require('../helpers/run-script');

/**
 * The warnings of a process whose handler reads fields.
 * @param {'front' | 'middleware'} mount
 * @param {{ options?: string, env?: Record<string, string> }} [more]
 * @returns {Promise<Array<{ code: string, message: string }>>}
 */
async function warnings(mount, { options = '', env = {} } = {}) {
  const { stdout, stderr } = await runScript(
    `
    const http = require('node:http');
    const express = require('express');
    const { cacheResponse } = require('./lib/http');
    const seen = [];
    process.on('warning', ({ code, message }) => seen.push({ code, message }));
    const cache = tiercel.createCache({ redis: false });
    const options = { cache, ${options} };
    const app = express();
    if (${mount === 'middleware'}) app.use(cacheResponse(options));
    app.use((req, res) => {
      res.setHeader('Cache-Control', req.path === '/private' ? 'private' : 'max-age=60');
      if (req.path === '/told') res.setHeader('Vary', 'X-Theme, Cookie');
      if (req.path === '/copied') void [{ ...req.headers }, Object.entries(req.headers), JSON.stringify(req.headers)];
      else if (req.path !== '/fine') void [req.headers['x-theme'], req.get('Cookie')];
      void [req.headers.host, req.headers['user-agent'], req.headers['x-forwarded-host'], req.ip];
      res.send('x');
    });
    const server = http.createServer(${mount === 'front' ? 'cacheResponse.front(app, options)' : 'app'});
    server.listen(0, '127.0.0.1', async () => {
      const get = (path) => new Promise((resolve) => {
        const headers = { 'x-theme': 'dark', 'if-none-match': '"none"' };
        http.get({ port: server.address().port, path, headers, agent: false }, (res) => res.resume().on('end', resolve));
      });
      for (const path of ['/told', '/private', '/fine', '/copied', '/bad?x=1', '/bad?x=2', '/bad']) await get(path);
      setTimeout(async () => {
        console.log(JSON.stringify(seen));
        server.close();
        await cache.close();
      }, 50);
    });`,
    { env: { NODE_ENV: 'development', ...env } },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.each(/** @type {const} */ (['front', 'middleware']))('%s', (mount) => {
  test('a warning names each field, once for each path, and only where the answer is stored', async () => {
    const seen = await warnings(mount);
    expect(seen.map(({ code }) => code)).toEqual(['TIERCEL_UNKEYED_HEADER', 'TIERCEL_UNKEYED_HEADER']);
    for (const [at, name] of ['x-theme', 'cookie'].entries()) {
      expect(seen[at].message).toContain(`The handler of /bad read the request header '${name}'`);
      expect(seen[at].message).toContain(`Answer with 'Vary: ${name}'`);
    }
  });

  test('none of fields that are in the key, in production, or where they are not wanted', async () => {
    // A list of one's own takes the place of the usual one.
    const [own, ...others] = await Promise.all([
      warnings(mount, { options: "keyHeaders: ['x-theme']" }),
      warnings(mount, { options: "vary: ['x-theme', 'cookie']" }),
      warnings(mount, { env: { NODE_ENV: 'production' } }),
      warnings(mount, { options: 'warnings: false' }),
    ]);
    const named = own.map(({ message }) => /'([^']+)'/.exec(message)?.[1]);
    expect([...new Set(named)].sort()).toEqual(['cookie', 'x-forwarded-host']);
    expect(others).toEqual([[], [], []]);
  });
});
