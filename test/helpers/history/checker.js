'use strict';
// Whether a recorded history is one that docs/guarantees.md allows. Works on batches: see add() and check().
//
// In force. An invalidation of a key (or a set() of it) after the commit of version v is in force
//   - for whoever called it: from the moment the call ended, acknowledged or not (but see "not acknowledged" where
//     threads share a memory tier: another thread, which nobody has told, may put the old value there once more);
//   - for everybody else: from the moment it was acknowledged; one that was not: from the first moment after it at which
//     the caller had nothing pending any more.
// Could know. What another one acknowledged at t, an actor can know from the earliest of
//   - the end of a PING of its own connection that was begun at or after t: the server sends the announcement before it
//     sends the answer, on the same connection;
//   - the moment at which it saw its connection lost, at or after t;
//   - t + TRUST: longer than that, a connection from which nothing is heard is not believed.
//   Actors that are threads of one process share its memory: there, all of them must have been able to know.
// Checked, besides that a key has its own values and no other's.
//   1. A read that begins when v is in force and the reader could know it gives v, something newer, or nothing.
//   2. After get() gave a reader version v, no get() or peek() of it that begins later gives an older one, nothing
//      excepted but an invalidation that was not acknowledged. Where threads share a memory tier: from when on all of
//      them could know of what it was given; an answer to one that is older than that may come in between.
// Exempt: the very version of a set() that was not acknowledged may come into the cache late, until whoever called it
// has nothing pending any more, and the reader could know that.

class Checker {
  #trust;
  /** @type {Array<{ process: number, records: any[][], syncs: any[], closed: number[], settled: number[] }>} */
  #actors;
  /** What is in force since an earlier batch: by key. */
  #floors = new Map();
  /** @type {Map<string, Array<{ actor: number, version: number, ok: boolean, end: number }>>} */
  #writes = new Map();
  #lastGot = new Map();
  #failedSets = [];
  checked = 0;
  effective = 0;
  /** @type {Array<{ key: string, from: number, to: number }>} where in the history what is wrong was seen */
  places = [];

  /**
   * @param {object} options
   * @param {number[]} options.processes of each actor
   * @param {number} options.trust ms
   */
  constructor({ processes, trust }) {
    this.#trust = trust;
    this.#actors = processes.map((process) => ({ process, records: [], syncs: [], closed: [], settled: [] }));
  }

  /**
   * @param {number} actor
   * @param {any[][]} records
   */
  add(actor, records) {
    const own = this.#actors[actor];
    for (const record of records) {
      const [kind, ...rest] = record;
      if (kind === 'sync') own.syncs.push(rest);
      else if (kind === 'closed') own.closed.push(rest[0]);
      else if (kind === 'settled') own.settled.push(rest[0]);
      else if (kind === 'read') own.records.push(rest);
      else if (kind === 'write') this.#addWrite(actor, rest);
      else if (kind === 'set' && !rest[4]) {
        this.#failedSets.push({ actor, key: rest[0], version: rest[1], end: rest[3] });
      }
    }
  }

  #addWrite(actor, [versions, , end, ok, what]) {
    for (const [key, version] of Object.entries(versions)) {
      if (!this.#writes.has(key)) this.#writes.set(key, []);
      this.#writes.get(key).push({ actor, version, ok, end, what });
    }
  }

  /**
   * Checks what was added since the last time. Every actor must have stopped, and have nothing pending.
   * @returns {string[]} what is wrong
   */
  check() {
    const wrong = [];
    for (const own of this.#actors) own.syncs.sort((a, b) => a[0] - b[0]);
    for (const [index, own] of this.#actors.entries()) {
      const rules = this.#rulesFor(index);
      own.records.sort((a, b) => a[1] - b[1]);
      for (const read of own.records) this.#checkRead(index, read, rules, wrong);
      this.#checkOrder(index, own.records, wrong);
    }
    for (const [key, writes] of this.#writes) {
      const most = Math.max(this.#floors.get(key) ?? 0, ...writes.map(({ version }) => version));
      this.#floors.set(key, most);
    }
    this.#writes.clear();
    this.#failedSets = [];
    for (const own of this.#actors) Object.assign(own, { records: [], syncs: [], closed: [], settled: [] });
    return wrong;
  }

  /** By key: from when on which version is the least for this reader, the newest last. */
  #rulesFor(reader) {
    const rules = new Map();
    for (const [key, writes] of this.#writes) {
      const list = writes
        .map((write) => {
          const { actor, ok, end } = write;
          if (actor === reader && (ok || !this.#sharesMemory(actor))) return { ...write, from: end };
          return { ...write, from: this.#knownAt(reader, ok ? end : this.#settledAt(actor, end)) };
        })
        .sort((a, b) => a.from - b.from);
      let most = 0;
      // Of those that overtook each other, the newer one counts.
      const kept = list.filter(({ version }) => version > most && (most = version));
      rules.set(key, kept);
    }
    return rules;
  }

  #sharesMemory(actor) {
    return this.#actors.filter(({ process }) => process === this.#actors[actor].process).length > 1;
  }

  #settledAt(actor, t) {
    return this.#actors[actor].settled.find((at) => at >= t) ?? Infinity;
  }

  #knownAt(reader, t) {
    const { process } = this.#actors[reader];
    const all = this.#actors.filter((each) => each.process === process).map((each) => this.#oneKnowsAt(each, t));
    return Math.max(...all);
  }

  #oneKnowsAt({ syncs, closed }, t) {
    let [low, high] = [0, syncs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (syncs[middle][0] >= t) high = middle;
      else low = middle + 1;
    }
    const heard = syncs[low]?.[1] ?? Infinity;
    return Math.min(heard, closed.find((at) => at >= t) ?? Infinity, t + this.#trust);
  }

  #checkRead(reader, [key, start, end, version, how], rules, wrong) {
    if (version === 0) return;
    this.checked++;
    if (typeof version === 'string') {
      wrong.push(`actor ${reader} read '${version}' as ${key} (${how}, ${start.toFixed(2)} to ${end.toFixed(2)})`);
      return;
    }
    const list = rules.get(key) ?? [];
    let rule = { version: this.#floors.get(key) ?? 0, from: -Infinity };
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].from > start) high = middle;
      else low = middle + 1;
    }
    if (low > 0) rule = list[low - 1];
    if (low > 0 && version === rule.version) this.effective++;
    if (version >= rule.version || this.#isExempt(reader, key, version, start)) return;
    this.places.push({ key, from: rule.from - 300, to: end + 20 });
    wrong.push(
      `actor ${reader} read version ${version} of ${key} (${how}, ${start.toFixed(2)} to ${end.toFixed(2)}) although ` +
        `${rule.version} was in force for it since ${rule.from.toFixed(2)}` +
        (rule.what === undefined
          ? ''
          : ` (${rule.what} of actor ${rule.actor}, ${rule.ok ? 'acknowledged' : 'failed'} at ${rule.end.toFixed(2)})`),
    );
  }

  #isExempt(reader, key, version, start) {
    return this.#failedSets.some((set) => {
      if (set.key !== key || set.version !== version) return false;
      return start < this.#knownAt(reader, this.#settledAt(set.actor, set.end));
    });
  }

  #checkOrder(reader, reads, wrong) {
    const best = (key) => this.#lastGot.get(`${reader} ${key}`) ?? { version: 0, end: -Infinity };
    // Reads overlap: each is compared with those that had ended when it began.
    const ends = reads
      .filter((read) => Number.isInteger(read[3]) && read[3] > 0 && read[4] === 'get')
      .sort((a, b) => a[2] - b[2]);
    let next = 0;
    for (const [key, start, , version, how] of reads) {
      for (; next < ends.length && ends[next][2] <= start; next++) {
        const [name, , end, got] = ends[next];
        if (got > best(name).version) this.#lastGot.set(`${reader} ${name}`, { version: got, end });
      }
      if (!Number.isInteger(version) || version === 0 || (how !== 'get' && how !== 'peek')) continue;
      const { version: before, end } = best(key);
      if (version >= before || this.#isExempt(reader, key, version, start)) continue;
      if (this.#sharesMemory(reader) && start < this.#knownAt(reader, end)) continue;
      this.places.push({ key, from: end - 300, to: start + 20 });
      wrong.push(
        `actor ${reader} went back from version ${before} of ${key} (at ${end.toFixed(2)}) to ${version} ` +
          `(${how} at ${start.toFixed(2)})`,
      );
    }
  }
}

module.exports = { Checker };
