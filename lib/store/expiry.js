'use strict';
// Gives back the memory of entries whose time is over, also when nobody reads or writes: once a second, in small steps,
// and at once again while there is more. Does not keep the process, nor a cache that was forgotten without close().
const { clearTimeout, setTimeout } = require('../timers');

const EVERY_MS = 1000;
const AGAIN_MS = 20;
const STEP = 1024;
const LONGEST_MS = 4;

/** @typedef {import('./types').Swept} Swept */

/**
 * @param {Swept} swept
 * @returns {() => void} ends it
 */
function startExpiry(swept) {
  const forgotten = new WeakRef(swept);
  /** @type {NodeJS.Timeout} */
  let timer;
  const arm = (/** @type {number} */ ms, /** @type {() => void} */ then) => {
    timer = setTimeout(then, ms);
    timer.unref();
  };
  const tick = () => {
    const here = forgotten.deref();
    if (here === undefined) return;
    const began = performance.now();
    let more;
    do {
      const expired = here.expire(STEP);
      more = here.sweep(STEP) > STEP / 2 || expired >= STEP;
    } while (more && performance.now() - began < LONGEST_MS);
    arm(more ? AGAIN_MS : EVERY_MS, tick);
  };
  arm(EVERY_MS, tick);
  return () => clearTimeout(timer);
}

module.exports = { startExpiry };
