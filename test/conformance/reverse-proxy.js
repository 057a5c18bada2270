'use strict';
// A streaming reverse proxy as a route handler: what most caches stand in front of. It adds no rule of its own about
// caching, so that what a client sees differ from the origin's answer is the cache's doing.

const http = require('node:http');

// https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1, and Expect: Node has answered it when the handler runs.
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'expect'];

// Shorter than the five seconds after which a Node server closes an idle connection: a request must not be sent on one
// that is just being closed, and must not be sent twice either.
const IDLE_MS = 2000;

/**
 * @param {object} target of node:http requests: `{ socketPath }`, or `{ host, port }`
 * @param {object} [options]
 * @param {number} [options.timeout] milliseconds without a byte from the origin: 504
 * @param {'raw' | 'parsed'} [options.fields] where the request's fields are read: `req.rawHeaders` or `req.headers`
 * @returns {import('node:http').RequestListener & { close(): void }}
 */
function reverseProxy(target, { timeout = 9000, fields = 'raw' } = {}) {
  const agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS });

  function proxy(req, res) {
    const upstream = http.request({
      ...target,
      agent,
      timeout,
      method: req.method,
      // A router strips what it is mounted at from `url`.
      path: req.originalUrl ?? req.url,
      headers: requestFields(req, fields),
    });
    let response;
    let timedOut = false;

    upstream.on('information', ({ statusCode, headers }) => forwardInterim(res, statusCode, headers));
    upstream.on('timeout', () => {
      timedOut = true;
      upstream.destroy(new Error('the origin did not answer in time'));
    });
    upstream.on('error', () => {
      if (response === undefined) fail(res, timedOut ? 504 : 502);
      // Bytes behind a whole response are an error as well, and none of this one.
      else if (!response.complete) res.destroy();
    });
    upstream.on('response', (received) => {
      response = received;
      forwardResponse(response, res);
    });
    // A client that is gone needs no answer.
    res.on('close', () => {
      if (!res.writableFinished) upstream.destroy();
    });

    if (hasBody(req)) req.pipe(upstream);
    else upstream.end();
  }

  return Object.assign(proxy, { close: () => agent.destroy() });
}

/**
 * The flat list of fields for the origin.
 * @returns {string[]}
 */
function requestFields(req, source) {
  const flat = source === 'raw' ? req.rawHeaders : flatten(req.headers);
  const kept = endToEnd(flat);
  // The body's length is not known before it has gone through.
  if (hasBody(req) && req.headers['content-length'] === undefined) kept.push('Transfer-Encoding', 'chunked');
  return kept;
}

function hasBody(req) {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

function flatten(headers) {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((line) => [name, line]));
}

/**
 * A flat list without the fields that are for one connection.
 * @param {readonly string[]} flat
 * @returns {string[]}
 */
function endToEnd(flat) {
  const dropped = new Set(HOP_BY_HOP);
  for (let at = 0; at < flat.length; at += 2) {
    if (flat[at].toLowerCase() !== 'connection') continue;
    for (const name of flat[at + 1].split(',')) dropped.add(name.trim().toLowerCase());
  }
  const kept = [];
  for (let at = 0; at < flat.length; at += 2) {
    if (!dropped.has(flat[at].toLowerCase())) kept.push(flat[at], flat[at + 1]);
  }
  return kept;
}

/** Names and values of a flat list, with repeated lines of a name as an array. */
function grouped(flat) {
  /** @type {Map<string, { name: string, values: string[] }>} */
  const byName = new Map();
  for (let at = 0; at < flat.length; at += 2) {
    const id = flat[at].toLowerCase();
    const known = byName.get(id);
    if (known) known.values.push(flat[at + 1]);
    else byName.set(id, { name: flat[at], values: [flat[at + 1]] });
  }
  return Array.from(byName.values(), ({ name, values }) => [name, values.length === 1 ? values[0] : values]);
}

/** 100 is between two hops; of the others Node can send two. */
function forwardInterim(res, status, headers) {
  if (res.headersSent || res.destroyed) return;
  if (status === 102) res.writeProcessing();
  if (status === 103) res.writeEarlyHints(headers);
}

function forwardResponse(response, res) {
  if (res.destroyed) return;
  res.statusCode = response.statusCode;
  res.statusMessage = response.statusMessage;
  for (const [name, value] of grouped(endToEnd(response.rawHeaders))) res.setHeader(name, value);
  // Cut off in the middle: the client has to notice.
  response.on('error', () => res.destroy());
  response.on('end', () => {
    const trailers = grouped(response.rawTrailers);
    if (trailers.length > 0) res.addTrailers(trailers.flatMap(([name, value]) => [value].flat().map((v) => [name, v])));
    res.end();
  });
  response.pipe(res, { end: false });
}

/** An answer of the proxy's own: no body, and nothing that says how long to keep it. */
function fail(res, status) {
  if (res.destroyed) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.statusCode = status;
  res.end();
}

module.exports = { reverseProxy };
