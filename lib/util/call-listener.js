'use strict';
// Calls what a user gave us to be told by: if it throws, the error is an uncaught exception of its own, and what it was told
// about goes on.

/** @param {() => void} call */
function callListener(call) {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

module.exports = { callListener };
