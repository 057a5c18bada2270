'use strict';
// Waiting for what comes soon: polls a condition, and says what it waited for when it does not come.

const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Lets what is under way in this process, and between it and its neighbours, go on: so many turns of the loop, each with
 * its I/O, and each a millisecond or longer. A machine that stands still makes it longer, where a delay() would be over.
 */
async function turns(count = 30) {
  for (let turn = 0; turn < count; turn++) await delay(1);
}

/**
 * @param {string} what is waited for
 * @param {() => any} condition may be asynchronous; the first truthy answer is given back
 * @param {number} [timeout] ms
 */
async function until(what, condition, timeout = 15_000) {
  const deadline = performance.now() + timeout;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms for: ${what}`);
    await delay(2);
  }
}

/** The next event of an emitter, as the array of what its listeners are given. */
function nextEvent(emitter, name, timeout = 15_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${timeout} ms for the event '${name}'`)), timeout);
    emitter.once(name, (...details) => {
      clearTimeout(timer);
      resolve(details);
    });
  });
}

/** What a promise rejects with. */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}

module.exports = { delay, turns, until, nextEvent, rejection };
