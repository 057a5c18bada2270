'use strict';
// An empty project in a temporary directory, in which commands run with a PATH that has Node, npm and nothing else:
// no compiler, no cmake, no git.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** npm's program, as a file that `node` can run. */
function npmProgram() {
  if (process.env.npm_execpath?.endsWith('.js')) return process.env.npm_execpath;
  for (const dir of process.env.PATH.split(path.delimiter)) {
    const file = path.join(dir, 'npm');
    if (fs.existsSync(file)) return fs.realpathSync(file);
  }
  throw new Error('npm is not in PATH');
}

class Sandbox {
  constructor(name) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), `tiercel-${name}-`));
    this.project = path.join(this.directory, 'project');
    this.bin = path.join(this.directory, 'bin');
    fs.mkdirSync(this.project);
    fs.mkdirSync(this.bin);
    fs.symlinkSync(process.execPath, path.join(this.bin, 'node'));
    fs.writeFileSync(path.join(this.project, 'package.json'), '{ "name": "consumer", "private": true }\n');
  }

  file(name) {
    return path.join(this.project, name);
  }

  write(name, text) {
    fs.writeFileSync(this.file(name), text);
  }

  /** Runs `node` in the project; returns what it printed. */
  node(args, { cwd = this.project } = {}) {
    const env = { PATH: this.bin, HOME: this.directory, npm_config_cache: path.join(this.directory, 'npm-cache') };
    // npm looks for /bin/sh only when it has scripts to run, and there are none to run.
    return execFileSync(path.join(this.bin, 'node'), args, { cwd, env, encoding: 'utf8', stdio: 'pipe' });
  }

  npm(args, options) {
    return this.node([npmProgram(), ...args, '--no-audit', '--no-fund', '--no-update-notifier'], options);
  }

  remove() {
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

module.exports = { Sandbox, npmProgram };
