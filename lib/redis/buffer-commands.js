'use strict';
// client.buffers: the same commands, whose strings come back as Buffers.
const { addCommands, anyCommand } = require('./command-methods');

class BufferView {
  #run;

  /** @param {(command: import('./command-methods').Command) => Promise<any>} run */
  constructor(run) {
    this.#run = run;
  }

  /** @param {import('./command-methods').Command} command */
  _run(command) {
    return this.#run(command);
  }

  /**
   * @param {string} command
   * @param {any[]} args
   */
  async call(command, ...args) {
    return this.#run(anyCommand(command, args));
  }
}

addCommands(BufferView.prototype);

/** @typedef {BufferView} View */

module.exports = { BufferView };
