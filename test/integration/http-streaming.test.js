'use strict';
// Collapsed streaming: those who wait read along while the handler writes, each at a pace of their own.
const http = require('node:http');
const { everywhere } = require('../helpers/http-site');
const { turns, until } = require('../helpers/until');

/**
 * A client that says what has come, and can be made slow.
 * @param {{ port: number }} site
 * @param {Record<string, string>} [headers]
 */
function client(site, headers = {}) {
  const state = {
    text: '',
    size: 0,
    ended: false,
    broken: false,
    cacheStatus: '',
    response: /** @type {any} */ (undefined),
    request: /** @type {any} */ (undefined),
  };
  state.request = http.get({ host: '127.0.0.1', port: site.port, path: '/', agent: false, headers }, (res) => {
    state.response = res;
    state.cacheStatus = String(res.headers['cache-status']);
    res.on('data', (chunk) => {
      state.size += chunk.length;
      if (state.size < 10_000) state.text += chunk;
    });
    res.on('end', () => (state.ended = true));
    res.on('error', () => (state.broken = true));
  });
  state.request.on('error', () => (state.broken = true));
  return state;
}

everywhere((test) => {
  /**
   * A site whose answers are written by the test: open has them.
   * @param {any} start
   * @param {object} [options]
   */
  const gated = async (start, options) => {
    /** @type {any[]} */
    const open = [];
    const handler = (/** @type {any} */ req, /** @type {any} */ res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      if (req.headers['accept-encoding']) res.setHeader('Vary', 'Accept-Encoding');
      open.push({ req, res });
    };
    return { site: await start(handler, options), open };
  };

  test('waiters get chunks before the end, later ones too, from the first on', async (start) => {
    const { site, open } = await gated(start);
    const all = [client(site), client(site)];
    await until('a run', () => open.length === 1);
    await turns(30);
    open[0].res.write('one ');
    await until('the first chunk', () => all.every(({ text }) => text === 'one '));
    all.push(client(site));
    await until('the first chunk, late', () => all[2].text === 'one ');
    open[0].res.write('two ');
    await until('the second chunk', () => all.every(({ text }) => text === 'one two '));
    open[0].res.end('three');
    await until('the end', () => all.every(({ ended }) => ended));
    expect(all.map(({ text }) => text)).toEqual(Array(3).fill('one two three'));
    expect(all.filter(({ cacheStatus }) => cacheStatus.includes('collapsed'))).toHaveLength(2);
    expect((await site.hit('/')).body).toBe('one two three');
    expect(site.runs).toBe(1);
  });

  test('a leader that leaves in the middle hurts nobody else, and the answer is stored', async (start) => {
    const { site, open } = await gated(start);
    const leader = client(site);
    await until('a run', () => open.length === 1);
    const others = [client(site), client(site)];
    await turns(30);
    open[0].res.write('one ');
    await until('the first chunk', () => [leader, ...others].every(({ text }) => text === 'one '));
    leader.request.destroy();
    await turns(30);
    open[0].res.write('two ');
    await until('the second chunk', () => others.every(({ text }) => text === 'one two '));
    open[0].res.end('three');
    await until('the end', () => others.every(({ ended }) => ended));
    expect(others.map(({ text, broken }) => [text, broken])).toEqual(Array(2).fill(['one two three', false]));
    expect((await site.hit('/')).body).toBe('one two three');
    expect(site.runs).toBe(1);
  });

  test('a body that breaks off breaks off for all, and is not stored', async (start) => {
    const { site, open } = await gated(start);
    const all = [client(site), client(site)];
    await until('a run', () => open.length === 1);
    await turns(30);
    open[0].res.write('half');
    await until('the first chunk', () => all.every(({ text }) => text === 'half'));
    open[0].res.destroy();
    await until('the break', () => all.every(({ broken, ended }) => broken && !ended));
    const next = client(site);
    await until('another run', () => open.length === 2);
    open[1].res.end('whole');
    await until('the end', () => next.ended);
    expect(next.text).toBe('whole');
  });

  test('a slow client slows nobody, be it the leader or not', async (start) => {
    const { site, open } = await gated(start, { maxBodyBytes: '16mb' });
    const slowLeader = client(site);
    await until('a run', () => open.length === 1);
    const [quick, slow] = [client(site), client(site)];
    await turns(30);
    const { res } = open[0];
    res.write('begin');
    await until('the head', () => [slowLeader, quick, slow].every(({ text }) => text === 'begin'));
    slowLeader.response.pause();
    slow.response.pause();
    for (let i = 0; i < 8; i++) {
      const more = res.write(Buffer.alloc(1 << 20));
      if (!more) await until('room', () => !res.writableNeedDrain || quick.size > i << 20);
    }
    res.end();
    await until('the whole body', () => quick.ended);
    expect(quick.size).toBe(8 * (1 << 20) + 5);
    slowLeader.response.resume();
    slow.response.resume();
    await until('the others', () => slowLeader.ended && slow.ended);
    expect([slowLeader.size, slow.size]).toEqual([quick.size, quick.size]);
    expect(site.runs).toBe(1);
  });

  test('a waiter with another Accept-Encoding runs its own handler', async (start) => {
    const { site, open } = await gated(start);
    const gzip = client(site, { 'accept-encoding': 'gzip' });
    await until('a run', () => open.length === 1);
    const [br, same] = [client(site, { 'accept-encoding': 'br' }), client(site, { 'accept-encoding': 'x-gzip' })];
    await turns(30);
    open[0].res.write('for gzip');
    await until('who shares it', () => gzip.text === 'for gzip' && same.text === 'for gzip');
    expect(br.text).toBe('');
    open[0].res.end();
    await until('its own run', () => open.length === 2);
    expect(open[1].req.headers['accept-encoding']).toBe('br');
    open[1].res.end('for br');
    await until('its end', () => br.ended);
    expect([br.text, same.text]).toEqual(['for br', 'for gzip']);
    expect(br.cacheStatus).toBe('tiercel; fwd=vary-miss; stored');
  });

  test('an answer that is not to be stored makes no queue behind it', async (start) => {
    /** @type {Array<() => void>} */
    const held = [];
    const site = await start((req, res, run) => {
      const send = () => res.setHeader('Cache-Control', 'no-store').end(`run ${run}`);
      if (run === 1) send();
      else held.push(send);
    });
    await site.get('/');
    const all = Promise.all(Array.from({ length: 10 }, () => site.get('/')));
    // All at once, not one after another, nor all after the first: none of them has been answered yet.
    await until('ten runs', () => held.length === 10);
    for (const send of held) send();
    expect(new Set((await all).map(({ body }) => body)).size).toBe(10);
  });

  test('nor do pages of persons make a queue, or keep out what is for everybody', async (start) => {
    /** @type {Array<() => void>} */
    const held = [];
    const site = await start((req, res, run) => {
      const { cookie } = req.headers;
      const send = () => res.setHeader('Cache-Control', 'max-age=60').end(cookie ?? 'everybody');
      if (cookie && run > 1) held.push(send);
      else send();
    });
    await site.get('/', { cookie: 'sid=first' });
    const names = Array.from({ length: 10 }, (_, id) => `sid=${id}`);
    const personal = Promise.all(names.map((cookie) => site.get('/', { cookie })));
    expect((await site.get('/')).cacheStatus).toBe('tiercel; fwd=uri-miss; stored');
    await until('ten runs', () => held.length === 10);
    for (const send of held) send();
    expect((await personal).map(({ body }) => body)).toEqual(names);
    expect((await site.hit('/')).body).toBe('everybody');
  });
});
