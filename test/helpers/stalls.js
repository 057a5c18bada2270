'use strict';
// A machine that stops now and then, for tests: with TIERCEL_TEST_STALLS=<ms> every process of Jest blocks its loop at
// random moments, for up to so many ms. A fixed sleep that stands for something ("by now the others have come") is then
// too short, and its test fails here instead of on a busy machine.
//
//   TIERCEL_TEST_STALLS=60 npx jest test/integration/http-collapse.test.js

const LONGEST_MS = Number(process.env.TIERCEL_TEST_STALLS ?? 0);
// The loop runs much longer than it is blocked: a test whose subject is time has to find a try without a stall.
const APART = 20;

if (LONGEST_MS > 0) stallLater();

function stallLater() {
  setTimeout(
    () => {
      stall(Math.random() * LONGEST_MS);
      stallLater();
    },
    Math.random() * LONGEST_MS * APART,
  ).unref();
}

/** @param {number} ms */
function stall(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
