'use strict';
// Logging in and out with createSessions and authMiddleware, in Express: a cookie for browsers, the same id as a Bearer
// token for others; a list of devices; logging out everywhere after a change of password.
// Run it: PORT=3000 REDIS_URL=redis://127.0.0.1:6379 node examples/sessions.js (without REDIS_URL: memory alone)
//
//   curl -c jar -H 'content-type: application/json' -d '{"name":"ada","password":"lovelace"}' localhost:3000/login
//   curl -b jar localhost:3000/me

const { scryptSync, timingSafeEqual } = require('node:crypto');
const { once } = require('node:events');
const express = require('express');
const { createCache } = require('tiercel');
const { authMiddleware, createSessions } = require('tiercel/session');

const COOKIE = 'sid';
const MAX_AGE_DAYS = 30;

const hash = (name, password) => scryptSync(password, name, 32, { N: 1024 });

/** Stands for a database. */
function openUsers() {
  const users = new Map();
  const add = (id, name, password) => users.set(String(id), { id, name, hash: hash(name, password) });
  add(1, 'ada', 'lovelace');
  add(2, 'grace', 'hopper');
  return {
    find: async (id) => users.get(String(id)),
    /** The user, if this is his password. */
    async check(name, password) {
      const user = [...users.values()].find((one) => one.name === name);
      // As much work for names that do not exist.
      const given = hash(String(name), String(password));
      return user !== undefined && timingSafeEqual(given, user.hash) ? user : undefined;
    },
    async setPassword(id, password) {
      const user = users.get(String(id));
      user.hash = hash(user.name, password);
    },
  };
}

/**
 * @param {{ cache: any, users?: ReturnType<typeof openUsers>, secure?: boolean, keys?: Buffer[] }} options
 */
function createApp({ cache, users = openUsers(), secure = false, keys }) {
  const sessions = createSessions({ cache, ttl: '1d', maxAge: `${MAX_AGE_DAYS}d`, keys });
  sessions.on('error', (error) => console.error(error.message));
  // What every request needs of its user; never the hash of the password.
  const load = async ({ userId }) => {
    const user = await users.find(userId);
    return user && { id: user.id, name: user.name };
  };
  const auth = authMiddleware({ sessions, load, cookie: COOKIE, ttl: '1m' });
  const cookie = { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: MAX_AGE_DAYS * 86_400_000 };

  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '10kb' }));

  app.post('/login', async (req, res) => {
    const { name, password } = req.body ?? {};
    const user = await users.check(name, password);
    if (user === undefined) return res.status(401).json({ error: 'Wrong name or password' });
    // Always a new id, whatever the request has brought: nobody can have planted it.
    const { id, expiresAt } = await sessions.create(
      { cart: [] },
      { userId: user.id, userAgent: req.get('user-agent') },
    );
    res.cookie(COOKIE, id, cookie);
    return res.json({ token: id, expiresAt });
  });

  app.get('/me', auth, (req, res) => {
    const { user, session } = req.auth;
    res.json({ ...user, cart: session.data.cart });
  });

  app.post('/cart', auth, async (req, res) => {
    // Two requests at once keep both items.
    const changed = await sessions.update(req.auth.session.id, ({ cart }) => ({
      cart: [...cart, String(req.body?.item)],
    }));
    if (changed === undefined) return res.status(401).json({ error: 'Logged out meanwhile' });
    return res.json(changed.data.cart);
  });

  app.get('/devices', auth, async (req, res) => {
    const { handle: current, userId } = req.auth.session;
    const devices = await sessions.allForUser(userId);
    res.json(
      devices.map(({ handle, userAgent, lastUsedAt }) => ({
        handle,
        userAgent,
        lastUsedAt,
        current: handle === current,
      })),
    );
  });

  app.delete('/devices/:handle', auth, async (req, res) => {
    const ended = await sessions.destroyForUser(req.auth.session.userId, req.params.handle);
    res.status(ended ? 204 : 404).end();
  });

  app.post('/password', auth, async (req, res) => {
    const { id, userId } = req.auth.session;
    await users.setPassword(userId, String(req.body?.password));
    res.json({ loggedOut: await sessions.destroyAllForUser(userId, { except: id }) });
  });

  app.post('/logout', auth, async (req, res) => {
    await sessions.destroy(req.auth.session.id);
    res
      .clearCookie(COOKIE, { ...cookie, maxAge: undefined })
      .status(204)
      .end();
  });

  // Express knows an error handler by its four arguments.
  app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    return res
      .status(error.status ?? 500)
      .json({ error: error.status === 503 ? 'Try again later' : 'Something failed' });
  });
  return app;
}

async function main() {
  const cache = createCache({ namespace: 'sessions-example' });
  const server = createApp({ cache }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
  await once(server, 'listening');
  console.log(`http://127.0.0.1:${server.address().port}`);
  process.once('SIGINT', () => server.close(() => cache.close()));
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

module.exports = { createApp };
