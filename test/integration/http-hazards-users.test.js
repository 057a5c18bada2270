'use strict';
// Hazard: somebody else's page. By Authorization, Cookie, Set-Cookie, Vary and identity; from what is stored, and from
// a miss that is shared.
const { everywhere } = require('../helpers/http-site');
const { turns } = require('../helpers/until');

/** A page for whoever asks, as an app writes it that has not thought of caches. */
const personal = (fields) => (req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain', ...fields });
  res.end(`page of ${req.headers.authorization ?? req.headers.cookie ?? req.headers['x-user'] ?? 'nobody'}`);
};
const CACHEABLE = { 'Cache-Control': 'max-age=60' };

everywhere((test) => {
  describe.each([
    ['Authorization', 'authorization', (name) => `Bearer ${name}`],
    ['Cookie', 'cookie', (name) => `sid=${name}`],
  ])('%s', (_, field, value) => {
    const alice = { [field]: value('alice') };
    const bob = { [field]: value('bob') };

    test("Alice's answer reaches neither Bob nor a stranger, nor is it stored", async (start) => {
      const site = await start(personal(CACHEABLE), { warnings: false });
      const first = await site.get('/me', alice);
      expect(first.body).toContain('alice');
      expect(first.cacheStatus).not.toContain('stored');
      expect((await site.get('/me', bob)).body).toContain('bob');
      expect((await site.later('/me')).body).toBe('page of nobody');
      expect((await site.later('/me', bob)).body).not.toContain('alice');
      expect(site.runs).toBeGreaterThanOrEqual(3);
    });

    test('the same without hit-for-miss, with a ttl, and when all ask at once', async (start) => {
      const site = await start((req, res) => turns(20).then(() => personal({})(req, res)), {
        ttl: 60,
        hitForMiss: 0,
        warnings: false,
      });
      const answers = await Promise.all([alice, bob, alice, bob].map((headers) => site.get('/me', headers)));
      expect(answers.map(({ body }) => body.split(/[ =]/).pop())).toEqual(['alice', 'bob', 'alice', 'bob']);
      expect(site.runs).toBe(4);
      expect((await site.later('/me')).body).toBe('page of nobody');
    });

    test('with ttl 60, and told so by Vary, each has a page of their own', async (start) => {
      const site = await start(personal({ Vary: field, ...CACHEABLE, 'Cache-Control': 'max-age=60, must-revalidate' }));
      expect((await site.hit('/me', alice)).body).toBe(`page of ${alice[field]}`);
      expect((await site.hit('/me', bob)).body).toBe(`page of ${bob[field]}`);
      expect((await site.hit('/me')).body).toBe('page of nobody');
      expect((await site.hit('/me', alice)).body).toBe(`page of ${alice[field]}`);
    });
  });

  test('what is stored for everybody does not answer a request with Authorization', async (start) => {
    const site = await start(personal(CACHEABLE), { warnings: false });
    expect((await site.hit('/me')).body).toBe('page of nobody');
    expect((await site.get('/me', { authorization: 'Bearer alice' })).body).toBe('page of Bearer alice');
    expect((await site.later('/me')).body).toBe('page of nobody');
    // Unless the app has said that it may: https://www.rfc-editor.org/rfc/rfc9111.html#section-3.5
    const open = await start((req, res) =>
      res.writeHead(200, { 'Cache-Control': 'public, max-age=60' }).end('for all'),
    );
    await open.hit('/');
    expect((await open.get('/', { authorization: 'Bearer alice' })).cacheStatus).toContain('hit');
    expect(open.runs).toBe(1);
  });

  test('an answer with Set-Cookie is nobody else’s', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'public, max-age=60');
      res.setHeader('Set-Cookie', `sid=${run}`);
      res.end(`visitor ${run}`);
    });
    for (const run of [1, 2, 3]) {
      const answer = await site.later('/');
      expect(answer.headers['set-cookie']).toEqual([`sid=${run}`]);
      expect(answer.body).toBe(`visitor ${run}`);
      expect(answer.cacheStatus).toBe('tiercel; fwd=uri-miss');
    }
  });

  test('nor when a hundred ask at once: everyone gets a cookie of their own', async (start) => {
    const site = await start((req, res, run) => {
      turns(30).then(async () => {
        res.writeHead(200, { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': `sid=${run}` });
        res.write(`visitor `);
        await turns(10);
        res.end(String(run));
      });
    });
    const answers = await Promise.all(Array.from({ length: 100 }, () => site.get('/')));
    const cookies = answers.map(({ headers, body }) => {
      expect(headers['set-cookie']).toEqual([`sid=${body.slice('visitor '.length)}`]);
      return headers['set-cookie'][0];
    });
    expect(new Set(cookies).size).toBe(100);
    expect(site.runs).toBe(100);
  });

  test('identity: an answer of its own for everyone, private ones included', async (start) => {
    const site = await start(
      (req, res, run) => {
        res.setHeader('Cache-Control', 'private, max-age=60');
        turns(10).then(() => res.end(`${req.headers['x-user'] ?? 'nobody'} ${run}`));
      },
      { identity: (req) => req.headers['x-user'], warnings: false },
    );
    const names = ['alice', 'bob', 'alice', 'bob', 'alice'];
    const answers = await Promise.all(names.map((name) => site.get('/', { 'x-user': name })));
    answers.forEach(({ body }, at) => expect(body).toMatch(new RegExp(`^${names[at]} `)));
    for (const name of ['alice', 'bob']) {
      const hit = await site.hit('/', { 'x-user': name });
      expect(hit.body).toMatch(new RegExp(`^${name} `));
    }
    // Nobody in particular: private means what it says again.
    const before = site.runs;
    expect((await site.later('/')).body).toMatch(/^nobody /);
    expect((await site.later('/')).body).toMatch(/^nobody /);
    expect(site.runs).toBe(before + 2);
  });

  test('identity: names that could be mistaken for one another are not', async (start) => {
    const names = ['a', 'A', 'a ', 'a,b', 'a, b', 'a=b', ':identity', '=', '\\', 'a\\', '#', 'ä', '%61', 'undefined'];
    const site = await start(
      (req, res) => res.writeHead(200, { 'Cache-Control': 'private, max-age=60' }).end(req.url && whose(req)),
      { identity: whose, key: () => 'one', warnings: false },
    );
    function whose(/** @type {any} */ req) {
      return decodeURIComponent(req.url.slice(2));
    }
    for (let round = 0; round < 2; round++) {
      for (const name of names) expect((await site.later(`/?${encodeURIComponent(name)}`)).body).toBe(name);
    }
    expect(site.runs).toBe(names.length);
  });

  test('an identity function that fails makes the request nobody’s, and uncached', async (start) => {
    const site = await start(personal({ 'Cache-Control': 'private, max-age=60' }), {
      identity: () => {
        throw new Error('no session');
      },
    });
    expect((await site.get('/', { 'x-user': 'alice' })).body).toBe('page of alice');
    const other = await site.later('/', { 'x-user': 'bob' });
    expect(other.body).toBe('page of bob');
    expect(other.cacheStatus).toBe('tiercel; fwd=bypass');
  });

  test('Vary: both variants are held, and the CORS header of one origin never reaches another', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'public, max-age=60');
      res.setHeader('Vary', 'Origin');
      if (req.headers.origin) res.setHeader('Access-Control-Allow-Origin', req.headers.origin);
      turns(10).then(() => res.end(String(run)));
    });
    const origins = ['https://a.example', 'https://b.example', undefined];
    const asked = [...origins, ...origins].map((origin) => (origin ? { origin } : {}));
    const all = await Promise.all(asked.map((headers) => site.get('/', headers)));
    all.forEach(({ headers }, at) => expect(headers['access-control-allow-origin']).toBe(origins[at % 3]));
    for (const headers of asked) await site.hit('/', headers);
    const runs = site.runs;
    for (const headers of asked) {
      const hit = await site.get('/', headers);
      expect(hit.cacheStatus).toContain('hit');
      expect(hit.headers['access-control-allow-origin']).toBe(headers.origin);
    }
    expect(site.runs).toBe(runs);
  });

  test.each(['*', '*, *', 'Accept, *', ['Accept', '*'], ['', '*']])('Vary: %j is never reused', async (start, vary) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'public, max-age=60');
      res.setHeader('Vary', vary);
      res.end(String(run));
    });
    for (const run of ['1', '2', '3']) expect((await site.later('/')).body).toBe(run);
    const together = await Promise.all([site.get('/'), site.get('/'), site.get('/')]);
    expect(new Set(together.map(({ body }) => body)).size).toBe(3);
  });

  test('Vary that changes from answer to answer: nobody gets what was selected by less', async (start) => {
    // The plain page does not say that it would be another one for those who have a theme.
    const site = await start(
      (req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60');
        res.setHeader('Vary', req.headers['x-theme'] ? 'X-Lang, X-Theme' : 'X-Lang');
        res.end(`${req.headers['x-lang']} ${req.headers['x-theme'] ?? ''}`);
      },
      { warnings: false },
    );
    await site.hit('/', { 'x-lang': 'de', 'x-theme': 'dark' });
    for (const theme of ['light', 'dark', 'light']) {
      for (const lang of ['de', 'en']) {
        const answer = await site.later('/', { 'x-lang': lang, 'x-theme': theme });
        expect(answer.body).toBe(`${lang} ${theme}`);
      }
    }
  });
});
