'use strict';
// The room for what is kept decoded of entries in memory: values, and HTTP responses, of all namespaces and mounts of one
// cache together. It is a part of `memory.maxBytes`: what is kept here leaves less for entries. Each holder finds its
// values by key; here they stand in the order in which they came, for who has to leave next (CLOCK: whatever was used
// since gets a second chance).

/** @typedef {import('./types').Decoded} Decoded */

/** @typedef {import('./types').Holder} Holder */

// Of the key: a slot in a Map, one in a Set, the record itself.
const BOOKKEEPING = 280;
// What V8 needs besides: room between objects, and for moving them.
const HEAP_SLACK = 1.4;
// The memory tier is asked for so much at a time.
const QUANTUM = 64 * 1024;
// While there is no room only one of so many is kept: a working set that does not fit must not be replaced all the time.
const ONE_OF = 4;
const LARGEST_SHARE = 8;

class DecodedValues {
  /** @type {Set<Decoded>} */
  #order = new Set();
  #limit;
  #quantum;
  #reserve;
  #bytes = 0;
  // What the memory tier has granted: at least #bytes.
  #granted = 0;
  #refused = 0;

  /**
   * @param {number} limit bytes
   * @param {(more: number) => boolean} reserve asks the memory tier for so much more of its budget, or gives it back
   */
  constructor(limit, reserve) {
    this.#limit = limit;
    this.#quantum = Math.min(QUANTUM, Math.ceil(limit / LARGEST_SHARE));
    this.#reserve = reserve;
  }

  get bytes() {
    return this.#bytes;
  }

  /**
   * @param {Decoded} decoded whose size is that of its value alone
   * @returns {boolean} false: there is no room for it
   */
  add(decoded) {
    decoded.size = Math.ceil((decoded.size + BOOKKEEPING + decoded.key.length) * HEAP_SLACK);
    if (decoded.size > this.#limit / LARGEST_SHARE) return false;
    if (this.#bytes + decoded.size > this.#granted && !this.#grow(decoded.size)) {
      if (++this.#refused % ONE_OF !== 0 || !this.#makeRoom(decoded.size)) return false;
    }
    this.#order.add(decoded);
    this.#bytes += decoded.size;
    return true;
  }

  /** @param {Decoded} decoded */
  delete(decoded) {
    if (this.#order.delete(decoded)) this.#shrink(decoded.size);
  }

  /**
   * Looks at some, and drops those whose entries are gone. To be called now and then.
   * @param {(token: number, fill: number) => boolean} isThere
   * @param {number} limit at how many
   * @returns {number} how many were dropped
   */
  sweep(isThere, limit) {
    let looked = 0;
    let dropped = 0;
    for (const decoded of this.#order) {
      if (++looked > limit) break;
      this.#order.delete(decoded);
      if (isThere(decoded.token, decoded.fill)) {
        this.#order.add(decoded);
      } else {
        this.#leave(decoded);
        dropped++;
      }
    }
    return dropped;
  }

  /**
   * @param {number} bytes
   * @returns {boolean} whether so much is free now
   */
  #makeRoom(bytes) {
    for (const decoded of this.#order) {
      if (this.#bytes + bytes <= this.#granted) break;
      this.#order.delete(decoded);
      if (decoded.used) {
        decoded.used = false;
        this.#order.add(decoded);
      } else {
        this.#bytes -= decoded.size;
        decoded.holder.dropped(decoded);
      }
    }
    return this.#bytes + bytes <= this.#granted;
  }

  /** @param {Decoded} decoded which is not in the order any more */
  #leave(decoded) {
    decoded.holder.dropped(decoded);
    this.#shrink(decoded.size);
  }

  /** @param {number} bytes */
  #grow(bytes) {
    const more = Math.max(this.#quantum, bytes);
    if (this.#granted + more > this.#limit || !this.#reserve(more)) return false;
    this.#granted += more;
    return true;
  }

  /** @param {number} bytes */
  #shrink(bytes) {
    this.#bytes -= bytes;
    const spare = this.#granted - this.#bytes;
    if (this.#bytes > 0 && spare < 4 * this.#quantum) return;
    const less = this.#bytes > 0 ? spare - this.#quantum : this.#granted;
    this.#granted -= less;
    if (less > 0) this.#reserve(-less);
  }
}

/** @typedef {DecodedValues} DecodedValuesInstance */

module.exports = { DecodedValues };
