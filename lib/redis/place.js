'use strict';

/**
 * Where a server is, for people. As nameOf() of src/redis/socket_transport.cpp says it.
 * @param {{ host: string, port: number, path: string }} endpoint
 */
const placeOf = ({ host, port, path }) => path || `${host.includes(':') ? `[${host}]` : host}:${port}`;

module.exports = { placeOf };
