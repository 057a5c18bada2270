'use strict';
// Every way in which a handler can write a response: what reaches the client, and what is told of it.
const http = require('node:http');
const { PassThrough, Readable } = require('node:stream');
const { ResponseRecorder } = require('../../lib/http/record/response-recorder');
const { onHead } = require('../../lib/http/record/response-methods');
const { serve, request, until, cleanUp } = require('../helpers/http');

afterEach(cleanUp);

/**
 * Captures the response of a handler, and tells what it heard.
 * @param {(res: any) => void} handler
 * @param {{ verdict?: any, maxBytes?: number, onCommitted?: () => boolean, before?: (res: any) => void, replace?: (res: any) => void }} [more]
 */
async function capture(
  handler,
  { verdict = 'record', maxBytes = 100, onCommitted = () => true, isAwaited = () => false, before, replace } = {},
) {
  /** @type {any[]} */
  const heard = [];
  /** @type {any} */
  let open;
  const server = await serve((req, res) => {
    open = res;
    before?.(res);
    new ResponseRecorder(res, maxBytes, {
      onHead: (head, known) => {
        heard.push(['head', head.status, head.get('x-a'), known.body && String(known.body), known.fits]);
        return verdict;
      },
      onCommitted: () => onCommitted(),
      onChunk: (chunk) => heard.push(['chunk', String(chunk)]),
      onComplete: (body) => heard.push(['complete', String(body)]),
      onEnd: (whole) => heard.push(['end', whole]),
      onDiverted: (body) => {
        heard.push(['diverted', body && String(body)]);
        (replace ?? ((it) => it.end('instead')))(res);
      },
      onDropped: (reason) => heard.push(['dropped', reason]),
      isAwaited,
    });
    handler(res);
  });
  return { server, heard, response: () => open };
}

describe('ways to commit a head, with the fields and the body that are known then', () => {
  /** @type {Array<[string, (res: any) => void, any[], string]>} */
  const ways = [
    ['end(text)', (res) => res.end('body'), [200, undefined, 'body', true], 'body'],
    ['end()', (res) => res.end(), [200, undefined, '', true], ''],
    ['end(callback)', (res) => res.end(() => {}), [200, undefined, '', true], ''],
    ['end(text, encoding)', (res) => res.end('Ym9keQ==', 'base64'), [200, undefined, 'body', true], 'body'],
    [
      'setHeader and status',
      (res) => res.setHeader('X-A', '1').writeHead(201).end('body'),
      [201, '1', undefined, true],
      'body',
    ],
    ['statusCode', (res) => ((res.statusCode = 404), res.end('body')), [404, undefined, 'body', true], 'body'],
    ['write, end', (res) => (res.write('bo'), res.end('dy')), [200, undefined, undefined, true], 'body'],
    ['writeHead(object)', (res) => res.writeHead(200, { 'X-A': '1' }).end('body'), [200, '1', undefined, true], 'body'],
    [
      'writeHead(reason, object)',
      (res) => res.writeHead(200, 'Fine', { 'X-A': '1' }).end(),
      [200, '1', undefined, true],
      '',
    ],
    [
      'writeHead(flat)',
      (res) => res.writeHead(200, ['X-A', '1', 'X-A', '2']).end(),
      [200, '1, 2', undefined, true],
      '',
    ],
    ['writeHead(pairs)', (res) => res.writeHead(200, [['X-A', '1']]).end(), [200, '1', undefined, true], ''],
    ['flushHeaders', (res) => (res.flushHeaders(), res.end('body')), [200, undefined, undefined, true], 'body'],
    ['pipe', (res) => Readable.from(['bo', 'dy']).pipe(res), [200, undefined, undefined, true], 'body'],
    [
      'pipe through',
      (res) => Readable.from(['bo', 'dy']).pipe(new PassThrough()).pipe(res),
      [200, undefined, undefined, true],
      'body',
    ],
    [
      'a length beyond the bound',
      (res) => (res.setHeader('Content-Length', '4'), res.end('body')),
      [200, undefined, 'body', true],
      'body',
    ],
  ];
  test.each(ways)('%s', async (way, handler, head, body) => {
    const { server, heard } = await capture(handler);
    expect((await request(server, '/')).body).toBe(body);
    expect(heard[0]).toEqual(['head', ...head]);
    expect(heard.slice(-2)).toEqual([
      ['end', true],
      ['complete', body],
    ]);
    expect(heard.filter(([what]) => what === 'head')).toHaveLength(1);
    expect(
      heard
        .filter(([what]) => what === 'chunk')
        .map(([, text]) => text)
        .join(''),
    ).toBe(body);
  });
});

test('a response that passes is not copied', async () => {
  const { server, heard } = await capture((res) => res.end('body'), { verdict: 'pass' });
  expect((await request(server, '/')).body).toBe('body');
  expect(heard).toEqual([
    ['head', 200, undefined, 'body', true],
    ['dropped', 'refused'],
  ]);
});

test('what outer layers add with the head may still forbid the copy', async () => {
  const { server, heard } = await capture((res) => res.end('body'), { onCommitted: () => false });
  expect((await request(server, '/')).body).toBe('body');
  expect(heard.slice(1)).toEqual([['dropped', 'refused']]);
});

describe('a body that is too long', () => {
  test('is known to be by its length', async () => {
    const { server, heard } = await capture((res) => res.writeHead(200, { 'Content-Length': 6 }).end('longer'), {
      maxBytes: 5,
      verdict: 'pass',
    });
    expect((await request(server, '/')).body).toBe('longer');
    expect(heard[0]).toEqual(['head', 200, undefined, undefined, false]);
  });

  const handler = (/** @type {any} */ res) => {
    for (const text of ['one', 'two', 'three']) res.write(text);
    res.end();
  };

  test('or turns out to be, and nobody reads along: the rest is not copied', async () => {
    const { server, heard } = await capture(handler, { maxBytes: 5 });
    expect((await request(server, '/')).body).toBe('onetwothree');
    expect(heard.slice(1)).toEqual([
      ['chunk', 'one'],
      ['dropped', 'too-large'],
    ]);
  });

  test('until the last of those who read along has gone', async () => {
    let readers = 2;
    const { server, heard } = await capture(handler, { maxBytes: 5, isAwaited: () => readers-- > 0 });
    expect((await request(server, '/')).body).toBe('onetwothree');
    expect(heard).not.toContainEqual(['chunk', 'three']);
  });

  test('or turns out to be; those who read along get all of it', async () => {
    const { server, heard } = await capture(handler, { maxBytes: 5, isAwaited: () => true });
    expect((await request(server, '/')).body).toBe('onetwothree');
    expect(heard.slice(1)).toEqual([
      ['chunk', 'one'],
      ['dropped', 'too-large'],
      ['chunk', 'two'],
      ['chunk', 'three'],
      ['end', true],
    ]);
  });
});

describe('a body that is not whole is no copy', () => {
  test('it is shorter than it said', async () => {
    const { server, heard } = await capture((res) => {
      res.writeHead(200, { 'Content-Length': 9 });
      res.write('half');
      res.end();
    });
    await request(server, '/').catch(() => {});
    await until(() => heard.length >= 4);
    expect(heard.slice(-2)).toEqual([
      ['end', false],
      ['dropped', 'aborted'],
    ]);
  });

  test('the handler destroys it', async () => {
    const { server, heard } = await capture((res) => {
      res.write('half');
      setImmediate(() => res.destroy());
    });
    await request(server, '/').catch(() => {});
    await until(() => heard.length >= 4);
    expect(heard.slice(-2)).toEqual([
      ['end', false],
      ['dropped', 'aborted'],
    ]);
  });

  test('the client goes away', async () => {
    const { server, heard, response } = await capture((res) => res.write('half'));
    const client = http.get({ host: '127.0.0.1', port: server.port, path: '/', agent: false }, () => client.destroy());
    client.on('error', () => {});
    await until(() => heard.length >= 4);
    expect(heard.slice(-2)).toEqual([
      ['end', false],
      ['dropped', 'aborted'],
    ]);
    expect(() => response().end('late')).not.toThrow();
    expect(heard).toHaveLength(4);
  });
});

describe.each([
  ['divert', undefined],
  ['absorb', 'secret body'],
])('%s: nothing of the response is sent, and another takes its place', (verdict, copy) => {
  /** @type {Array<[string, (res: any) => void]>} */
  const ways = [
    ['end', (res) => res.writeHead(503, 'Bad', { 'X-Inner': '1' }).end('secret body')],
    ['write', (res) => (res.setHeader('X-Inner', '1'), (res.statusCode = 503), res.write('secret '), res.end('body'))],
    ['flushHeaders', (res) => (res.setHeader('X-Inner', '1'), res.flushHeaders(), res.end('secret body'))],
    ['end at once', (res) => (res.setHeader('X-Inner', '1'), (res.statusMessage = 'Odd'), res.end('secret body'))],
    ['pipe', (res) => (res.setHeader('X-Inner', '1'), Readable.from(['secret ', 'body']).pipe(res))],
  ];
  test.each(ways)('%s', async (way, handler) => {
    const before = (/** @type {any} */ res) => res.setHeader('X-Outer', ['a', 'b']).setHeader('X-Inner', 'outer');
    const { server, heard } = await capture(handler, { verdict, before });
    const answer = await request(server, '/');
    expect([answer.status, answer.message, answer.body]).toEqual([200, 'OK', 'instead']);
    expect(answer.headers['x-outer']).toBe('a, b');
    expect(answer.headers['x-inner']).toBe('outer');
    expect(heard.at(-1)).toEqual(['diverted', copy]);
  });

  test('callbacks of what was swallowed are called, and methods are the old ones again', async () => {
    const calls = /** @type {any[]} */ ([]);
    const { server } = await capture(
      (res) => {
        res.write('secret ', () => calls.push('write'));
        res.end('body', () => calls.push('end'));
      },
      {
        verdict,
        replace: (res) => {
          calls.push(['write', 'end', 'writeHead', 'flushHeaders'].some((name) => Object.hasOwn(res, name)));
          res.end('instead');
        },
      },
    );
    expect((await request(server, '/')).body).toBe('instead');
    expect(calls).toEqual([false, 'write', 'end']);
  });
});

test('an absorbed body that is too long is gone', async () => {
  const { server, heard } = await capture((res) => (res.write('one'), res.end('two')), {
    verdict: 'absorb',
    maxBytes: 5,
  });
  expect((await request(server, '/')).body).toBe('instead');
  expect(heard.at(-1)).toEqual(['diverted', undefined]);
});

test('arguments that Node refuses are refused by Node, and commit nothing', async () => {
  /** @type {any[]} */
  const codes = [];
  const { server, heard } = await capture((res) => {
    res.on('error', () => {});
    for (const wrong of [
      () => res.end(7),
      () => res.write(7),
      () => res.write(null),
      () => res.writeHead(200, ['X-Odd']),
    ]) {
      try {
        wrong();
      } catch (error) {
        codes.push(/** @type {any} */ (error).code);
      }
    }
    res.end('right');
  });
  expect((await request(server, '/')).body).toBe('right');
  expect(codes).toEqual([
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_STREAM_NULL_VALUES',
    'ERR_INVALID_ARG_VALUE',
  ]);
  expect(heard.at(-1)).toEqual(['complete', 'right']);
});

test('a chunk is copied when it is written: its buffer may be used again', async () => {
  const { server, heard } = await capture((res) => {
    const buffer = Buffer.from('aa');
    res.write(buffer, () => {
      buffer.fill('b');
      res.end(buffer);
    });
  });
  await request(server, '/');
  expect(heard.at(-1)).toEqual(['complete', 'aabb']);
});

test('a listener that throws does no harm to the response', async () => {
  const server = await serve((req, res) => {
    const quiet = () => {};
    new ResponseRecorder(res, 100, {
      onHead: () => {
        throw new Error('broken');
      },
      onCommitted: () => true,
      onChunk: quiet,
      onComplete: quiet,
      onEnd: quiet,
      onDiverted: quiet,
      onDropped: quiet,
      isAwaited: () => false,
    });
    res.end('body');
  });
  expect((await request(server, '/')).body).toBe('body');
});

test('onHead: fields can be set by whatever commits the head, once', async () => {
  for (const [handler, status] of /** @type {Array<[(res: any) => void, number]>} */ ([
    [(res) => res.end('x'), 200],
    [(res) => res.writeHead(404, { 'X-B': '1' }).end('x'), 404],
    [(res) => (res.flushHeaders(), res.end('x')), 200],
    [(res) => (res.write('x'), res.end()), 200],
  ])) {
    /** @type {number[]} */
    const seen = [];
    const server = await serve((req, res) => {
      onHead(res, (code) => {
        seen.push(code);
        res.setHeader('X-Set', 'late');
      });
      handler(res);
    });
    const answer = await request(server, '/');
    expect([answer.status, answer.headers['x-set'], answer.body, seen]).toEqual([status, 'late', 'x', [status]]);
  }
});
