'use strict';
// The process of the suite's own server. It listens on the socket that it is given as its port.

const { pathToFileURL } = require('node:url');

// It must not outlive the parent.
process.on('disconnect', () => process.exit(0));

import(pathToFileURL(process.argv[2]).href).catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
});
