'use strict';
// Hazard: one request reads the entry of another. Methods, hosts, fields of proxies, queries, encodings.
const { everywhere, SOME_PLACES } = require('../helpers/http-site');
const { turns } = require('../helpers/until');
const { exchange } = require('../helpers/http');

/** What the handler believes it is asked for. */
const told = (req, res) => {
  res.setHeader('Cache-Control', 'max-age=60');
  res.end(`${req.method} ${req.headers.host} ${req.originalUrl ?? req.url}`);
};
/** Repeatable numbers. */
const random = (seed) => () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;

everywhere((test) => {
  test('HEAD and GET: no empty page for a GET, no body for a HEAD', async (start) => {
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end(req.method === 'HEAD' ? undefined : 'the page');
    });
    const [head, get] = await Promise.all([site.get('/', {}, { method: 'HEAD' }), site.get('/')]);
    expect([head.body, get.body]).toEqual(['', 'the page']);
    await site.get('/cold', {}, { method: 'HEAD' });
    expect((await site.later('/cold')).body).toBe('the page');
    await site.hit('/cold');
    const warm = await site.get('/cold', {}, { method: 'HEAD' });
    expect([warm.status, warm.body]).toEqual([200, '']);
    expect(warm.headers['content-length']).toBe('8');
    expect((await site.get('/cold')).body).toBe('the page');
  });

  test('POST and GET do not share: neither way, with or without a body', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'public, max-age=60');
      turns(10).then(() => res.end(`${req.method} ${run}`));
    });
    expect((await site.get('/', {}, { method: 'POST', body: 'a=1' })).body).toBe('POST 1');
    expect((await site.later('/')).body).toBe('GET 2');
    await site.hit('/');
    expect((await site.get('/', {}, { method: 'POST', body: 'a=2' })).body).toBe('POST 3');
    const all = await Promise.all(['POST', 'GET', 'POST', 'PUT'].map((method) => site.get('/b', {}, { method })));
    expect(all.map(({ body }) => body.split(' ')[0])).toEqual(['POST', 'GET', 'POST', 'PUT']);
    expect(new Set(all.map(({ body }) => body)).size).toBe(4);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'M-SEARCH'])(
    '%s makes what is stored go',
    async (start, method) => {
      let status = 200;
      const site = await start((req, res, run) => {
        if (req.method === 'GET') res.setHeader('Cache-Control', 'max-age=60');
        else res.statusCode = status;
        res.end(String(run));
      });
      const before = (await site.hit('/a?b=1')).body;
      // An attempt that failed changed nothing, and safe methods change nothing.
      for (status of [400, 500]) await site.get('/a?b=1', {}, { method });
      await site.get('/a?b=1', {}, { method: 'OPTIONS' });
      await site.get('/other', {}, { method });
      expect((await site.later('/a?b=1')).body).toBe(before);
      for (status of [200, 204, 303]) {
        const old = Number((await site.hit('/a?b=1')).body);
        await site.get('/a?b=1', {}, { method });
        expect(Number((await site.get('/a?b=1')).body)).toBeGreaterThan(old);
      }
    },
  );

  test('Location and Content-Location of the same origin go with it, those of others stay', async (start) => {
    const site = await start((req, res, run) => {
      if (req.method === 'GET') res.setHeader('Cache-Control', 'max-age=60');
      else {
        res.setHeader('Location', req.url === '/far' ? 'http://other.example/list' : '/list');
        res.setHeader('Content-Location', req.url === '/far' ? '//other.example/item' : 'item');
      }
      res.end(String(run));
    });
    for (const path of ['/list', '/item']) await site.hit(path);
    const other = { host: 'other.example' };
    const strange = await site.hit('/list', other);
    const runs = site.runs;
    await site.get('/far', {}, { method: 'POST' });
    for (const path of ['/list', '/item']) await site.hit(path);
    await site.hit('/list', other);
    // Nor does somebody who only says that he is another site reach its entries.
    expect(site.runs).toBe(runs + 1);
    await site.get('/near', {}, { method: 'POST' });
    for (const path of ['/list', '/item']) expect(Number((await site.get(path)).body)).toBeGreaterThan(runs + 1);
    expect((await site.get('/list', other)).body).toBe(strange.body);
  });

  test('Host is in the key, whatever its case, port and form', async (start) => {
    const site = await start(told);
    const hosts = ['a.example', 'b.example', 'a.example:80', 'a.example:8080', 'a.example.', '[::1]', '[::1]:80'];
    const all = await Promise.all([...hosts, ...hosts].map((host) => site.get('/', { host })));
    all.forEach(({ body }, at) => expect(body).toBe(`GET ${hosts[at % hosts.length]} /`));
    for (const host of hosts) expect((await site.hit('/', { host })).body).toBe(`GET ${host} /`);
    expect(site.runs).toBe(hosts.length);
  });

  test.each([
    'a.example/x',
    'a.example?x',
    'a.example#',
    'user@a.example',
    'a b',
    'a.example,b',
    'a\\b',
    'ä',
    '%2f',
    '"',
  ])('a host like %j has no part in the cache', async (start, host) => {
    const site = await start(told);
    for (let round = 0; round < 2; round++) {
      expect((await site.later('/', { host })).cacheStatus).toBe('tiercel; fwd=bypass');
    }
    expect((await site.get('/x', { host: 'a.example' })).body).toBe('GET a.example /x');
    expect(site.runs).toBe(3);
  });

  test.each(['X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'Forwarded'])(
    '%s: a link that is built from it reaches nobody who did not send it',
    async (start, name) => {
      const site = await start((req, res) => {
        res.setHeader('Cache-Control', 'max-age=60');
        res.end(`<a href="${req.headers[name.toLowerCase()] ?? 'us'}">`);
      });
      const values = ['evil', undefined, 'us', 'evil, us', 'us, evil', ''];
      const headers = values.map((value) => (value === undefined ? {} : { [name]: value }));
      const all = await Promise.all([...headers, ...headers].map((fields) => site.get('/', fields)));
      all.forEach(({ body }, at) => expect(body).toBe(`<a href="${values[at % values.length] ?? 'us'}">`));
      for (const at of headers.keys()) {
        const answer = await site.later('/', headers[at]);
        expect(answer.body).toBe(`<a href="${values[at] ?? 'us'}">`);
      }
      // In either order: the plain one first.
      await site.hit('/plain');
      expect((await site.get('/plain', { [name]: 'evil' })).body).toContain('evil');
      expect((await site.later('/plain')).body).toContain('us');
    },
  );

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
    '%s on a GET: bypassed',
    async (start, name) => {
      const site = await start((req, res, run) => {
        res.setHeader('Cache-Control', 'max-age=60');
        res.end(`${req.headers[name.toLowerCase()] ?? 'GET'} ${run}`);
      });
      expect((await site.get('/', { [name]: 'DELETE' })).cacheStatus).toBe('tiercel; fwd=bypass');
      expect((await site.hit('/')).body).toBe('GET 2');
      expect((await site.get('/', { [name]: 'DELETE' })).body).toBe('DELETE 3');
      expect((await site.get('/')).body).toBe('GET 2');
    },
  );

  test('queries: order, repeats, emptiness and spelling count', async (start) => {
    const site = await start(told);
    const queries = [
      '',
      '?',
      '?&',
      '?a',
      '?a=',
      '?a=1',
      '?a=1&b=2',
      '?b=2&a=1',
      '?a=1&a=2',
      '?a=2&a=1',
      '?a=1&a=1',
      '?A=1',
    ];
    queries.push('?a=%31', '?a=1&', '?&a=1', '?a=1;b=2', '?a[]=1', '?a%5B%5D=1', '?a=+', '?a=%20', '?a=1?', '?a=1%00');
    for (const query of queries) expect((await site.get(`/${query}`)).body).toBe(`GET ${site.host} /${query}`);
    for (const query of queries) expect((await site.hit(`/${query}`)).body).toBe(`GET ${site.host} /${query}`);
    expect(site.runs).toBe(queries.length);
  });

  test('a query of 14 KB: its last character counts', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end(`${req.url.slice(-1)} ${run}`);
    });
    const long = `/?q=${'x'.repeat(14_000)}`;
    for (const last of 'ab') await site.get(long + last);
    for (const last of 'ab') expect((await site.hit(long + last)).body[0]).toBe(last);
    expect(site.runs).toBe(2);
  });

  test('paths that some would take for the same are not', async (start) => {
    const site = await start(told);
    const paths = [
      '/a/b',
      '/a%2fb',
      '/a%2Fb',
      '/a//b',
      '//a/b',
      '/A/b',
      '/%61/b',
      '/a/b/',
      '/a/./b',
      '/a/../a/b',
      '/a/b;x',
    ];
    paths.push(
      '/a/%2e%2e/a/b',
      '/a%00/b',
      '/a%0d%0a/b',
      '/a\\b',
      '/a%5cb',
      '/a/b?',
      '/a/b%3f',
      '/a|b',
      '/a/b.',
      '/a/b%20',
      '/..',
    );
    const all = await Promise.all([...paths, ...paths].map((path) => site.get(path)));
    all.forEach(({ body }, at) => expect(body).toBe(`GET ${site.host} ${paths[at % paths.length]}`));
    for (const path of paths) expect((await site.hit(path)).body).toBe(`GET ${site.host} ${path}`);
    expect(site.runs).toBe(paths.length);
  });

  test('request targets that no client library writes', async (start) => {
    const site = await start(told);
    const targets = ['/a', '/\xe4', '/\xc3\xa4', '/a#b', '/a"b', '/a{b}', '/a^b', '/a`b', '/<a>', '/a*'];
    for (let round = 0; round < 2; round++) {
      for (const target of targets) {
        const text = `GET ${target} HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`;
        const answer = (await exchange(site, text)).toString();
        // Those that Node refuses are answered by nobody but Node.
        if (!answer.startsWith('HTTP/1.1 400')) {
          expect([target, answer.includes(`GET ${site.host} `)]).toEqual([target, true]);
        }
      }
    }
    const bodies = await Promise.all(['/a', '/a*'].map((path) => site.hit(path)));
    expect(bodies.map(({ body }) => body)).toEqual([`GET ${site.host} /a`, `GET ${site.host} /a*`]);
  });

  test('a target with a host of its own neither reads nor writes', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end(`run ${run}`);
    });
    const ask = async (target, host) => {
      const text = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      return (await exchange(site, text)).toString();
    };
    const page = (await site.hit('/', { host: 'us.example' })).body;
    for (const target of [
      'http://us.example/',
      'http://evil.example/',
      'HTTP://us.example',
      'https://us.example/',
      'ftp://x/',
    ]) {
      for (const host of ['us.example', 'evil.example']) {
        const answer = await ask(target, host);
        expect(answer).not.toContain(`${page}\r\n`);
        if (!answer.startsWith('HTTP/1.1 400')) expect(answer).toContain('Cache-Status: tiercel; fwd=bypass');
      }
    }
    expect((await site.get('/', { host: 'us.example' })).body).toBe(page);
    expect((await site.get('/', { host: 'evil.example' })).body).not.toBe(page);
  });

  test('a GET with a body passes, and leaves no trace', async (start) => {
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => res.end(`<${body}>`));
    });
    const lengthy = await site.get('/', { 'content-length': '3' }, { body: 'abc' });
    expect(lengthy.body).toBe('<abc>');
    const chunked = await site.get('/', { 'transfer-encoding': 'chunked' }, { body: 'def' });
    expect([chunked.body, chunked.cacheStatus]).toEqual(['<def>', 'tiercel; fwd=bypass']);
    expect((await site.hit('/')).body).toBe('<>');
    expect((await site.get('/', { 'content-length': '3' }, { body: 'ghi' })).body).toBe('<ghi>');
    expect((await site.get('/', { 'content-length': '0' })).body).toBe('<>');
    expect((await site.get('/')).body).toBe('<>');
  });

  test('2,000 URLs and hosts at random: entries differ if and only if they do', async (start, { mount }) => {
    const next = random(mount === 'in front' ? 7 : 8);
    const pick = (list) => list[Math.floor(next() * list.length)];
    const pieces = [
      '/',
      '/',
      'a',
      'b',
      'A',
      '.',
      '..',
      '%2f',
      '%2F',
      '%41',
      '?',
      '&',
      '=',
      'a=1',
      'b=1',
      ':',
      '@',
      '//',
      '\\n',
      '%0a',
      '|',
      '#',
    ];
    const hosts = ['a', 'b', 'a:80', 'a.b', 'b:80', 'a.', '[::1]', 'ab'];
    /** @type {Map<string, number>} */
    const runOf = new Map();
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'max-age=600');
      res.end(`${run} ${req.headers.host} ${req.url}`);
    });
    const ask = async () => {
      const path = `/${Array.from({ length: Math.floor(next() * 5) }, () => pick(pieces)).join('')}`;
      const host = pick(hosts);
      const { body } = await site.get(path, { host });
      const [run, ...rest] = body.split(' ');
      expect(rest.join(' ')).toBe(`${host} ${path}`);
      const known = runOf.get(rest.join(' '));
      // Its own entry, and no other: it was stored when it was asked for first.
      if (known !== undefined) expect([path, run]).toEqual([path, known]);
      runOf.set(rest.join(' '), /** @type {any} */ (run));
    };
    // Eight at a time; those that meet on one URL wait for one another, and agree.
    for (let done = 0; done < 2000; done += 8) await Promise.all(Array.from({ length: 8 }, ask));
    expect(site.runs).toBe(runOf.size);
    expect(runOf.size).toBeGreaterThan(500);
  });
}, SOME_PLACES);
