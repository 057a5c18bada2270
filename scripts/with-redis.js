'use strict';
// Runs a command beside a private redis-server, and ends that server afterwards.
//
//   node scripts/with-redis.js [--env NAME] -- COMMAND ARGUMENTS...
//
// The command finds the server's URL in NAME (default TIERCEL_TEST_REDIS_URL), that of its Unix socket in NAME with
// _UNIX appended, and the program, to start servers of its own, in REDIS_SERVER. Its exit code is passed on.

const { spawn } = require('node:child_process');
const os = require('node:os');
const { RedisServer, findRedisServer } = require('../test/helpers/redis-server');

function parseArguments(argv) {
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  const command = end < 0 ? [] : argv.slice(end + 1);
  const known = options.length === 0 || (options.length === 2 && options[0] === '--env');
  if (!known || command.length === 0) {
    console.error('usage: node scripts/with-redis.js [--env NAME] -- COMMAND ARGUMENTS...');
    process.exit(2);
  }
  return { name: options[1] ?? 'TIERCEL_TEST_REDIS_URL', command };
}

function run([program, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env });
    // A terminal sends SIGINT to the child as well; a second one does no harm.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}

async function main() {
  const { name, command } = parseArguments(process.argv.slice(2));
  const server = await RedisServer.start();
  try {
    const env = { [name]: server.url, [`${name}_UNIX`]: server.unixUrl, REDIS_SERVER: findRedisServer() };
    process.exitCode = await run(command, { ...process.env, ...env });
  } finally {
    await server.stop();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
