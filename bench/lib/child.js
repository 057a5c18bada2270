'use strict';
// One library and one case in a process of its own. Told what to do by bench/lib/children.js, over IPC: the case as
// JSON in argv, then { round: milliseconds } as often as wanted, then { end: true }.

const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const workloads = require('./workloads');

// Timing and comparing each operation would cost more than the fastest of them: one of eight is looked at.
const SAMPLE_MASK = 7;
const CLOCK_MASK = 127;
const YIELD_MASK = 1023;
const IDLE_MS = 100;
const MAX_SAMPLES = 1 << 20;

const samples = new Float64Array(MAX_SAMPLES);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** The delay of the event loop from here to the call of the result, in ms: what its timer of 1 ms came late. */
function watchLoop(idle = 0) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  return () => {
    histogram.disable();
    const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - idle);
    return { median: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) };
  };
}

/** What the timer takes when nothing else happens. */
async function idleLoop() {
  const stop = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return stop().median;
}

/** Runs `inFlight` lanes for some time; each lane waits for its operation before it starts the next. */
async function measure(workload, { inFlight, watched, milliseconds, first }) {
  const loop = watched ? watchLoop(await idleLoop()) : undefined;
  let next = first;
  let taken = 0;
  let stop = false;
  const began = performance.now();
  const deadline = began + milliseconds;
  const cpu = process.cpuUsage();

  async function lane() {
    while (!stop) {
      const i = next++;
      if ((i & SAMPLE_MASK) === 0) {
        const sent = performance.now();
        const result = await workload.operate(i);
        if (taken < MAX_SAMPLES) samples[taken++] = performance.now() - sent;
        if (!workload.isRight(result, i)) throw new Error(`wrong result of operation ${i}`);
      } else {
        await workload.operate(i);
      }
      if ((i & CLOCK_MASK) === 0 && performance.now() >= deadline) stop = true;
      if (workload.yields && (i & YIELD_MASK) === 0) await nextTurn();
    }
  }

  await Promise.all(Array.from({ length: inFlight }, lane));
  const used = process.cpuUsage(cpu);
  const elapsed = performance.now() - began;
  const delay = loop?.();
  const operations = next - first;
  const latencies = samples.subarray(0, taken).sort();
  const percentile = (p) => latencies[Math.min(taken - 1, Math.floor(taken * p))] * 1000;
  return {
    operations,
    opsPerSecond: (operations / elapsed) * 1000,
    cpuPerOp: (used.user + used.system) / operations,
    p50: percentile(0.5),
    p99: percentile(0.99),
    ...(delay && { loopP99: delay.p99, loopMax: delay.max }),
  };
}

async function main() {
  const testCase = JSON.parse(process.argv[2]);
  const workload = await workloads[testCase.workload](testCase);
  let operations = 0;

  process.on('message', async (message) => {
    try {
      if (message.end) {
        await workload.verify(operations);
        process.send({ verified: true }, () => process.exit(0));
        return;
      }
      const result = await measure(workload, {
        inFlight: testCase.inFlight,
        watched: testCase.watchLoop,
        milliseconds: message.round,
        first: operations,
      });
      operations += result.operations;
      process.send({ result });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.send({ ready: true });
}

main().catch((error) => {
  process.send({ error: error.stack }, () => process.exit(1));
});
