'use strict';
// The codec byte of an entry, as in src/core/entry/entry.h. Entries outlive the process that wrote them: no number ever
// changes its meaning.
module.exports = Object.freeze({
  /** Buffers and Uint8Arrays, as they are. */
  BYTES: 0,
  JSON_TEXT: 1,
  MSGPACK: 2,
  /** Strings, as their own UTF-8. */
  TEXT: 3,
  /** Bytes of a codec that the application brings. */
  CUSTOM: 255,
});
