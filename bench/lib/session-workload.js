'use strict';
// Sessions: one call of a store, or one request through the middleware of express-session, without a network around it.

const http = require('node:http');
const { createHmac } = require('node:crypto');
const session = require('express-session');

const SESSIONS = 1000;
const MAX_AGE = 86_400_000;
const SECRET = 'benchmark';

/** About 1 KB of JSON. */
function sessionData(i) {
  return {
    cookie: new session.Cookie({ maxAge: MAX_AGE }),
    user: { id: i, name: `user number ${i}`, roles: ['customer', 'reviewer'], verified: i % 2 === 0 },
    cart: Array.from({ length: 10 }, (_, j) => ({ sku: `sku-${i}-${j}`, quantity: j + 1, price: 9.5 + j })),
    csrf: 'k2Vn0TqZ1mB8xYw4pRf6sLcD3hGj7aEu',
    visited: Array.from({ length: 10 }, (_, j) => `/category/${j}/product/${i}`),
    theme: 'dark',
  };
}

const promised = (call) =>
  new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));

/** A request of a browser that has the session's cookie, answered at once by an application that only reads. */
function requestThrough(middleware, cookie) {
  return new Promise((resolve, reject) => {
    const req = new http.IncomingMessage(null);
    req.method = 'GET';
    req.url = '/';
    req.headers.cookie = cookie;
    req.connection = {};
    const res = new http.ServerResponse(req);
    res.end = () => resolve(req.session);
    middleware(req, res, (error) => {
      if (error) reject(error);
      else res.end();
    });
  });
}

module.exports = async function sessionWorkload({ adapter, op, server }) {
  const { store, close } = await require(`./adapters/session/${adapter}`)(server, sessionData);
  const ids = Array.from({ length: SESSIONS }, (_, i) => `${adapter}-${op}-${i}-`.padEnd(32, 'x'));
  const data = ids.map((_, i) => sessionData(i));
  const isSession = (found, i) => found?.user.id === i % SESSIONS && found.cart.length === 10;
  for (const [i, id] of ids.entries()) await promised((done) => store.set(id, data[i], done));

  const loaded = op === 'save' ? await Promise.all(ids.map((id) => promised((done) => store.get(id, done)))) : [];
  const middleware = session({ store, secret: SECRET, resave: false, saveUninitialized: false });
  const cookies = ids.map((id) => {
    const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '');
    return `connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`;
  });
  const operations = {
    get: { operate: (i) => promised((done) => store.get(ids[i % SESSIONS], done)), isRight: isSession },
    set: {
      operate: (i) => promised((done) => store.set(ids[i % SESSIONS], data[i % SESSIONS], done)),
      isRight: () => true,
    },
    save: {
      operate: (i) => promised((done) => store.set(ids[i % SESSIONS], loaded[i % SESSIONS], done)),
      isRight: () => true,
    },
    touch: {
      operate: (i) => promised((done) => store.touch(ids[i % SESSIONS], data[i % SESSIONS], done)),
      isRight: () => true,
    },
    request: { operate: (i) => requestThrough(middleware, cookies[i % SESSIONS]), isRight: isSession },
  };
  return {
    ...operations[op],
    yields: adapter === 'nothing' || adapter === 'json-alone',
    async verify() {
      for (const [i, id] of ids.entries()) {
        const found = await promised((done) => store.get(id, done));
        if (!isSession(found, i)) throw new Error(`${adapter}: wrong session under ${id}`);
      }
    },
    close,
  };
};
