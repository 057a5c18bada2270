'use strict';
// A script in a Node process of its own, where exit codes, environment variables and uncaught errors can be seen.

const { execFile } = require('node:child_process');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const REDIS_VARIABLES = ['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_USERNAME', 'REDIS_PASSWORD', 'REDIS_DB'];

/**
 * @param {string} script its `tiercel` is this package; `await` is allowed at the top
 * @param {object} [options]
 * @param {Record<string, string>} [options.env] more variables; those that name a Redis are not inherited
 * @param {number} [options.timeout] ms until it is killed
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string, ms: number }>}
 */
function runScript(script, { env = {}, timeout = 10_000 } = {}) {
  const inherited = { ...process.env };
  for (const name of REDIS_VARIABLES) delete inherited[name];
  const whole = `const tiercel = require(${JSON.stringify(ROOT)});(async () => {${script}\n})();`;
  const began = performance.now();
  return new Promise((resolve) => {
    const options = { env: { ...inherited, ...env }, timeout, killSignal: 'SIGKILL', cwd: ROOT };
    const child = execFile(process.execPath, ['-e', whole], options, (_error, stdout, stderr) => {
      const ms = performance.now() - began;
      resolve({ code: child.exitCode, signal: child.signalCode, stdout: stdout.trim(), stderr: stderr.trim(), ms });
    });
  });
}

module.exports = { runScript, ROOT };
