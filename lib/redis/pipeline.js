'use strict';
// Pipelines and transactions: commands that are collected, then sent in one go.
const { RedisError } = require('../errors');
const { describe } = require('../options/invalid');
const { bytes, textIn } = require('./replies');
const { addCommands, anyCommand } = require('./command-methods');

/** @typedef {import('./command-methods').Command} Command */

class Batch {
  /** @type {Command[]} */
  #commands = [];

  /** What was collected, which begins anew. */
  _take() {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  /** @param {Command} command */
  _run(command) {
    // Now, and not when it is sent: the error then points at the line that is wrong.
    for (const [index, arg] of command.args.entries()) {
      const type = typeof arg;
      if (type === 'string' || type === 'number' || type === 'bigint' || arg instanceof Uint8Array) continue;
      throw new TypeError(
        `${command.name}: argument ${index}: expected a string, number, bigint or Uint8Array, got ${describe(arg)}`,
      );
    }
    this.#commands.push(command);
    return this;
  }

  /**
   * @param {string} command
   * @param {any[]} args
   */
  call(command, ...args) {
    return this._run(anyCommand(command, args));
  }

  get length() {
    return this.#commands.length;
  }
}

addCommands(Batch.prototype);

class Pipeline extends Batch {
  #send;

  /** @param {(command: Command) => Promise<any>} send */
  constructor(send) {
    super();
    this.#send = send;
  }

  /** @returns {Promise<any[]>} the results in order; an Error in the place of a command that failed */
  async exec() {
    const commands = this._take();
    return Promise.all(commands.map((command) => this.#send(command).catch((error) => error)));
  }
}

/**
 * @param {string} name
 * @param {import('./types').Transform} [transform]
 */
const bare = (name, transform) => ({ number: -1, name, args: [name], transform, endless: false });

class Transaction extends Batch {
  #send;

  /** @param {(commands: Command[]) => Array<Promise<any>>} send all of them, or none: one promise that is rejected */
  constructor(send) {
    super();
    this.#send = send;
  }

  /**
   * @returns {Promise<any[]>} the results in order; a RedisError in the place of a command that failed
   */
  async exec() {
    const commands = this._take();
    if (commands.length === 0) return [];
    // The answers come with EXEC; until then each is QUEUED, or why it could not be.
    const hasBytes = commands.some(({ transform }) => transform === bytes);
    const all = [bare('MULTI'), ...commands, bare('EXEC', hasBytes ? bytes : undefined)];
    const settled = await Promise.allSettled(this.#send(all));
    const exec = settled[settled.length - 1];
    if (exec.status === 'rejected') {
      // EXECABORT only says that something was wrong; the first error says what.
      const first = settled.find((one) => one.status === 'rejected');
      throw first === undefined || first === exec
        ? exec.reason
        : new RedisError(exec.reason.code, `${exec.reason.message} (${first.reason.message})`, 'EXEC');
    }
    return exec.value.map((/** @type {any} */ read, /** @type {number} */ index) => {
      const { transform } = commands[index];
      const value = hasBytes && transform !== bytes ? textIn(read) : read;
      return transform === undefined || value instanceof RedisError ? value : transform(value);
    });
  }
}

module.exports = { Pipeline, Transaction };
