'use strict';
// An Express app with sessions, and browsers that keep its cookies.
//
//   const app = await SessionApp.start({ store, cookie: { maxAge: 1000 } }, (server) => server.get('/', …));
//   const browser = app.browser();
//   await browser.get('/set?key=a&value=1');  →  { status, body, setCookie }
//
// Routes that every app has: /set?key&value, /delete?key, /show (the session as JSON), /read, /max-age?ms, /login (regenerates),
// /logout (destroys), /save (saves, then answers), /reload, /hold?name (waits for app.release(name) in the middle).

const express = require('express');
const session = require('express-session');
const { serve, request } = require('./http');

class Browser {
  #server;
  /** @type {string | undefined} */
  cookie;

  constructor(server) {
    this.#server = server;
  }

  /** The id of its session. */
  get id() {
    return /s:(.*)\.[^.]*$/.exec(decodeURIComponent(this.cookie))?.[1];
  }

  /** Another tab: the same cookie. @param {{ server: any }} [app] another server */
  tab(app) {
    const other = new Browser(app?.server ?? this.#server);
    other.cookie = this.cookie;
    return other;
  }

  async get(path) {
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
    const answer = await request(this.#server, path, { headers });
    const setCookie = answer.headers['set-cookie']?.[0];
    if (setCookie !== undefined) this.cookie = setCookie.split(';')[0];
    return { status: answer.status, body: answer.body, setCookie };
  }

  async show() {
    return JSON.parse((await this.get('/show')).body);
  }
}

class SessionApp {
  /** Requests to /hold that wait. @type {Map<string, () => void>} */
  #held = new Map();

  /**
   * @param {object} options of express-session
   * @param {(app: any) => void} [routes]
   */
  static async start(options, routes) {
    const app = new SessionApp();
    await app.#start(options, routes);
    return app;
  }

  async #start(options, routes) {
    const app = express();
    app.use(session({ secret: 's', resave: false, saveUninitialized: false, ...options }));
    const answer = (res) => (error) => res.status(error ? 500 : 200).send(error ? String(error.code) : 'ok');
    app.get('/set', (req, res) => {
      req.session[req.query.key] = req.query.value;
      res.send('ok');
    });
    app.get('/delete', (req, res) => {
      delete req.session[req.query.key];
      res.send('ok');
    });
    app.get('/show', (req, res) => res.json(req.session));
    app.get('/read', (req, res) => res.send('ok'));
    app.get('/max-age', (req, res) => {
      req.session.cookie.maxAge = Number(req.query.ms);
      res.send('ok');
    });
    app.get('/login', (req, res, next) => {
      req.session.regenerate((error) => {
        if (error) return next(error);
        req.session.user = req.query.user;
        return res.send('ok');
      });
    });
    app.get('/logout', (req, res) => req.session.destroy(answer(res)));
    app.get('/save', (req, res) => req.session.save(answer(res)));
    app.get('/reload', (req, res) => req.session.reload((error) => res.json(error ? null : req.session)));
    // Loads its session, changes it, and ends when it is told to: what another request does meanwhile is concurrent.
    app.get('/hold', async (req, res) => {
      const { name, key, value } = req.query;
      if (key !== undefined && value === undefined) delete req.session[key];
      else if (key !== undefined) req.session[key] = value;
      await new Promise((resolve) => this.#held.set(name, resolve));
      res.send('ok');
    });
    routes?.(app);
    app.use((error, req, res, next) => {
      if (res.headersSent) return next(error);
      return res.status(500).send(String(error.code ?? error.message));
    });
    this.server = await serve(app);
  }

  /** @param {string} name */
  isHeld(name) {
    return this.#held.has(name);
  }

  /** @param {string} name */
  release(name) {
    this.#held.get(name)();
    this.#held.delete(name);
  }

  browser() {
    return new Browser(this.server);
  }
}

module.exports = { SessionApp };
