'use strict';
// Redis options as the native client wants them, from a URL, from options, or from the environment.
const tls = require('node:tls');
const { invalid, isPlainObject } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { parseDuration, parsePositiveDuration } = require('../options/duration');
const { parseSize } = require('../options/size');

const KNOWN = [
  'url',
  'host',
  'port',
  'family',
  'path',
  'username',
  'password',
  'db',
  'clientName',
  'protocol',
  'commandTimeout',
  'connectTimeout',
  'heartbeat',
  'reconnect',
  'tls',
  'offlineQueue',
  'maxQueuedCommands',
  'maxQueuedBytes',
];

// Which server it is: with any of these in options, the environment has no say.
const ADDRESS = ['url', 'host', 'port', 'path'];

/** @typedef {import('./types').NativeRedisOptions} NativeRedisOptions */

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} least
 * @param {number} most
 */
function integer(value, name, least, most) {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(name, `a whole number from ${least} to ${most}`, value);
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function text(value, name) {
  if (typeof value !== 'string') throw invalid(name, 'a string', value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {import('node:tls').ConnectionOptions | undefined}
 */
function tlsOptions(value, name) {
  if (value === false) return undefined;
  if (value === true) return {};
  if (!isPlainObject(value)) throw invalid(name, 'true, false, or options of tls.connect()', value);
  // What Node refuses is a mistake of the caller, who is here now, and not when a connection is made.
  try {
    tls.createSecureContext(value);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const pem = code?.startsWith('ERR_OSSL_PEM') ? ' (certificates and keys are given as PEM texts, not as paths)' : '';
    throw new TypeError(`${name}: expected options that tls.connect() takes: ${message}${pem}`, { cause: error });
  }
  return value;
}

/**
 * A text that is not shown in errors, or a function that gives one, or a promise of one.
 * @param {unknown} value
 * @param {string} name
 */
function credential(value, name) {
  if (typeof value !== 'string' && typeof value !== 'function') {
    throw new TypeError(`${name}: expected a string or a function that returns one, got ${typeof value}`);
  }
  return value;
}

/**
 * @param {unknown} given what credential() gave
 * @param {string} name
 * @returns {Promise<string>}
 */
async function credentialNow(given, name) {
  if (typeof given !== 'function') return /** @type {string} */ (given);
  const text = await given();
  if (typeof text !== 'string') {
    throw new TypeError(`${name}: expected the function to return a string, got ${typeof text}`);
  }
  return text;
}

const BACKOFF_MAX_MS = 10_000;
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Between which times the delays of new attempts to connect grow, or who is asked for them.
 * @param {unknown} given
 * @param {string} name
 */
function reconnectOptions(given, name) {
  const asks = typeof given === 'function';
  if (!asks && !isPlainObject(given)) throw invalid(name, '{ min, max } or a function', given);
  const { min = '50ms', max } = knownOptions(asks ? {} : given, name, ['min', 'max']);
  const backoffMin = parsePositiveDuration(min, `${name}.min`);
  const backoffMax =
    max === undefined ? Math.max(BACKOFF_MAX_MS, backoffMin) : parsePositiveDuration(max, `${name}.max`);
  if (backoffMax < backoffMin) throw invalid(`${name}.max`, `at least min, ${backoffMin} ms`, max);
  return { backoffMin, backoffMax, reconnect: asks ? /** @type {(attempt: number) => unknown} */ (given) : undefined };
}

/**
 * What a function in place of { min, max } gave.
 * @param {unknown} given
 * @returns {number} milliseconds
 */
function reconnectDelay(given) {
  if (typeof given !== 'number' || !(given >= 0 && given <= LONGEST_DELAY_MS)) {
    throw invalid('reconnect()', `milliseconds from 0 to ${LONGEST_DELAY_MS}, or false`, given);
  }
  return Math.ceil(given);
}

/**
 * What a URL says. The errors never show it: it may hold a password.
 * @param {unknown} value
 * @param {string} name
 */
function parseUrl(value, name) {
  const expected =
    `${name}: expected redis://, rediss://, valkey:// or valkeys:// with [user[:password]@]host[:port][/db], ` +
    'or unix:///path[?db=n]';
  if (value instanceof URL) return parseUrl(value.href, name);
  if (typeof value !== 'string') throw invalid(name, 'a URL', value);
  if (!value.includes('://')) {
    throw new TypeError(`${name}: expected a URL such as redis://localhost:6379, got a string that is no URL`);
  }
  let url;
  try {
    url = new URL(value);
  } catch {
    throw new TypeError(
      `${expected}, got a string that is no URL (a port is a number up to 65535; in a password / is written as %2F)`,
    );
  }
  if (!['redis:', 'rediss:', 'valkey:', 'valkeys:', 'unix:'].includes(url.protocol)) {
    throw new TypeError(`${expected}, got a URL that begins with ${url.protocol}//`);
  }
  // Their names are not shown either: behind a # or a ? that was not escaped is the rest of a password.
  if (url.hash !== '' || [...url.searchParams.keys()].some((key) => key !== 'db')) {
    throw new TypeError(
      `${expected}, got a fragment or a query parameter other than db ` +
        '(other settings are options beside the URL; in a password # is written as %23, ? as %3F)',
    );
  }
  const decode = (/** @type {string} */ part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw new TypeError(`${expected}, got a % that begins no escape`);
    }
  };
  /** @type {Record<string, any>} */
  const options = {};
  if (url.protocol === 'rediss:' || url.protocol === 'valkeys:') options.tls = true;
  const numbers = url.searchParams.getAll('db');
  if (url.protocol === 'unix:') {
    if (url.host !== '') throw new TypeError(`${expected}, got a path that does not begin with unix:///`);
    options.path = decode(url.pathname);
    if (options.path === '' || options.path === '/') throw new TypeError(`${expected}, got no path`);
  } else {
    // An IPv6 address comes in brackets.
    if (url.hostname !== '') options.host = decode(url.hostname).replace(/^\[(.*)\]$/, '$1');
    if (url.port !== '') options.port = integer(Number(url.port), `${name}.port`, 1, 65535);
    numbers.push(url.pathname.slice(1));
  }
  if (url.username !== '') options.username = decode(url.username);
  if (url.password !== '') options.password = decode(url.password);
  // Not shown: with a password in which `/` was not escaped, this is the rest of it.
  for (const db of numbers.filter((text) => text !== '')) {
    if (!/^\d{1,9}$/.test(db)) throw new TypeError(`${expected}, got something else for the database number`);
    if (options.db !== undefined && options.db !== Number(db)) {
      throw new TypeError(`${expected}, got two database numbers, /db and ?db=, which differ`);
    }
    options.db = Number(db);
  }
  return options;
}

/**
 * @param {unknown} given a URL or options
 * @param {string} name of the argument, for errors
 * @param {NodeJS.ProcessEnv} env what options without an address leave out
 * @returns {NativeRedisOptions}
 */
function normalizeRedisOptions(given, name, env) {
  if (typeof given === 'string' || given instanceof URL) return withDefaults(parseUrl(given, name), name);
  const known = knownOptions(given, name, KNOWN);
  const set = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  if (set.url !== undefined) return withDefaults({ ...parseUrl(set.url, `${name}.url`), ...set }, name);
  const hasAddress = ADDRESS.some((part) => set[part] !== undefined);
  return withDefaults(hasAddress ? set : { ...environmentOptions(env), ...set }, name);
}

/**
 * @param {Record<string, any>} options
 * @param {string} name of the argument, for errors
 * @returns {NativeRedisOptions}
 */
function withDefaults(options, name) {
  const {
    host = '127.0.0.1',
    port = 6379,
    family = 0,
    path = '',
    username = '',
    password = '',
    db = 0,
    clientName = '',
    protocol = 3,
    commandTimeout = '5s',
    connectTimeout = '10s',
    heartbeat = '5s',
    reconnect = {},
    tls: tlsGiven = false,
    offlineQueue = true,
    maxQueuedCommands = 10_000,
    maxQueuedBytes = '64mb',
  } = options;
  if (text(host, `${name}.host`) === '') throw invalid(`${name}.host`, 'a name or an address', host);
  if (/[\s\0]/.test(text(clientName, `${name}.clientName`))) {
    throw invalid(`${name}.clientName`, 'a name without white space', clientName);
  }
  if (typeof offlineQueue !== 'boolean') throw invalid(`${name}.offlineQueue`, 'true or false', offlineQueue);
  if (![0, 4, 6].includes(family)) throw invalid(`${name}.family`, '4 or 6, or 0 for both', family);
  credential(password, `${name}.password`);
  credential(username, `${name}.username`);
  const asksForCredentials = typeof username === 'function' || typeof password === 'function';
  return {
    host,
    port: integer(port, `${name}.port`, 1, 65535),
    family,
    path: text(path, `${name}.path`),
    username: asksForCredentials ? '' : username,
    password: asksForCredentials ? '' : password,
    credentials: asksForCredentials
      ? () => Promise.all([credentialNow(username, `${name}.username`), credentialNow(password, `${name}.password`)])
      : undefined,
    db: integer(db, `${name}.db`, 0, 2 ** 31 - 1),
    clientName,
    protocol: integer(protocol, `${name}.protocol`, 2, 3),
    commandTimeout: parseDuration(commandTimeout, `${name}.commandTimeout`),
    connectTimeout: parseDuration(connectTimeout, `${name}.connectTimeout`),
    heartbeat: parseDuration(heartbeat, `${name}.heartbeat`),
    ...reconnectOptions(reconnect, `${name}.reconnect`),
    tls: tlsOptions(tlsGiven, `${name}.tls`),
    offlineQueue,
    maxQueuedCommands: integer(maxQueuedCommands, `${name}.maxQueuedCommands`, 1, 2 ** 31 - 1),
    maxQueuedBytes: parseSize(maxQueuedBytes, `${name}.maxQueuedBytes`),
  };
}

/** @param {string} given a variable of the environment */
const numberIn = (given) => (/^\d+$/.test(given) ? Number(given) : given);

/**
 * REDIS_URL, else REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_DB, of which any one will do; with them, REDIS_USERNAME.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, any> | undefined} undefined: it names no Redis
 */
function environmentOptions(env) {
  if (env.REDIS_URL) return parseUrl(env.REDIS_URL, 'REDIS_URL');
  // For a service that is called redis, Kubernetes sets tcp://… in every container, whether it wants a Redis or not: that
  // is no setting.
  const port = env.REDIS_PORT?.startsWith('tcp://') ? undefined : env.REDIS_PORT;
  if (!env.REDIS_HOST && !port && !env.REDIS_PASSWORD && !env.REDIS_DB) return undefined;
  /** @type {Record<string, any>} */
  const options = {};
  if (env.REDIS_HOST) options.host = env.REDIS_HOST;
  if (port) options.port = integer(numberIn(port), 'REDIS_PORT', 1, 65535);
  if (env.REDIS_USERNAME) options.username = env.REDIS_USERNAME;
  if (env.REDIS_PASSWORD) options.password = env.REDIS_PASSWORD;
  if (env.REDIS_DB) options.db = integer(numberIn(env.REDIS_DB), 'REDIS_DB', 0, 2 ** 31 - 1);
  return options;
}

/**
 * The Redis that the environment names.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NativeRedisOptions | undefined}
 */
function redisFromEnvironment(env) {
  const options = environmentOptions(env);
  return options && withDefaults(options, 'REDIS_HOST');
}

/** For the errors of what has an option `redis`: where the options of a Redis stand. */
const IN_REDIS = {
  ...Object.fromEntries(KNOWN.map((name) => [name, `redis: { ${name} }`])),
  // Where other stores take the client of another library.
  client: "redis: 'redis://…', or a client made by createRedis()",
};

module.exports = { normalizeRedisOptions, reconnectDelay, redisFromEnvironment, IN_REDIS };
