'use strict';
// Apps behind authMiddleware: Express 5, Express 4 and node:http, with sessions of their own, that say who asks.
//
//   const { sessions, get } = await startAuthApp({ load }, { cache: await openCache({ redis: server.url }) });
//   await get(cookie(id))     { status, headers, body, auth }: what req.auth was

const { createCache } = require('../../lib');
const { authMiddleware } = require('../../lib/session/auth/auth-middleware');
const { createSessions } = require('../../lib/session/tokens/sessions');
const { onCleanUp, request, serve } = require('./http');
const { ownNamespace } = require('./memory-cache');
const { delay, until } = require('./until');

const cookie = (id, name = 'sid') => ({ headers: { cookie: `${name}=${id}` } });
const bearer = (id) => ({ headers: { authorization: `Bearer ${id}` } });

/** Users, and which of them were asked for. */
const database = () => {
  const users = new Map([1, 2, 3].map((id) => [String(id), { id, name: `user ${id}` }]));
  const asked = [];
  const load = async ({ userId }) => {
    asked.push(userId);
    await delay(5);
    return users.get(userId) ?? null;
  };
  return { users, asked, load };
};

/** A cache that is connected. */
const openCache = async (options) => {
  const cache = createCache({ namespace: ownNamespace(), ...options });
  onCleanUp(() => cache.close());
  await until('the cache to be ready', async () => (await cache.health()).status === 'ok');
  return cache;
};

const MOUNTS = {
  'Express 5': (middleware) => appOf(require('express'), middleware),
  'Express 4': (middleware) => appOf(require('express4'), middleware),
  'node:http': (middleware) => (req, res) =>
    middleware(req, res, (error) => {
      res.statusCode = error === undefined ? 200 : (error.status ?? 500);
      res.end(error === undefined ? JSON.stringify(req.auth ?? null) : error.message);
    }),
};
function appOf(express, middleware) {
  const app = express();
  app.use(middleware);
  app.use((req, res) => res.json(req.auth ?? null));
  // Express knows an error handler by its four arguments.
  // eslint-disable-next-line no-unused-vars
  app.use((error, req, res, next) => res.status(error.status ?? 500).send(error.message));
  return app;
}

/** An app with sessions of its own: `get(options)` asks it who it thinks we are. */
async function startAuthApp(options, { cache, mount = 'Express 5', sessions: ofSessions }) {
  const sessions = createSessions({ cache, ...ofSessions });
  const auth = authMiddleware({ sessions, ...options });
  const listening = await serve(MOUNTS[mount](auth));
  const get = async (given) => {
    const { status, body, headers } = await request(listening, '/', given);
    return { status, headers, auth: status === 200 ? JSON.parse(body) : undefined, body };
  };
  return { cache, sessions, auth, get, listening };
}

module.exports = { MOUNTS, bearer, cookie, database, openCache, startAuthApp };
