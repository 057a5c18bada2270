'use strict';
// nginx with proxy_cache in front of an origin: one worker on the server's core, on a free port, with a configuration and
// a cache of its own that go when it ends. Ended by its process id; nothing else of that name is touched.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { freePort } = require('../../test/helpers/redis-server');
const { until } = require('../../test/helpers/until');

/** Where Debian puts it is not in everybody's PATH. */
const PROGRAM = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).error === undefined);

function nginxVersion() {
  if (PROGRAM === undefined) return undefined;
  return /nginx\/([\d.]+)/.exec(spawnSync(PROGRAM, ['-v'], { encoding: 'utf8' }).stderr)?.[1];
}

const configuration = (directory, port, origin) => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  keepalive_requests 100000000;
  proxy_cache_path ${directory}/cache keys_zone=pages:1m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${origin};
      proxy_cache pages;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`;

const get = (url) =>
  new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.headers));
    });
    request.once('error', reject);
  });

/**
 * @param {string} origin its URL
 * @param {number} [core]
 * @returns {Promise<{ port: number, pid: number, stop: () => Promise<void> }>} when it answers from its cache
 */
async function startNginx(origin, core) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tiercel-nginx-'));
  const port = await freePort();
  const file = path.join(directory, 'nginx.conf');
  fs.writeFileSync(file, configuration(directory, port, origin));
  const flags = ['-c', file, '-p', directory, '-e', path.join(directory, 'error.log')];
  const [program, ...args] = [...(core === undefined ? [] : ['taskset', '-c', String(core)]), PROGRAM, ...flags];
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    fs.rmSync(directory, { recursive: true, force: true });
  };
  try {
    const url = `http://127.0.0.1:${port}/api/items/42`;
    await until('a hit from nginx', async () => (await get(url).catch(() => ({})))['x-cache'] === 'HIT', 5000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid, stop };
}

module.exports = { nginxVersion, startNginx };
