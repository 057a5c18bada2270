'use strict';
// lib and types are one contract: the compiler compares what lib exports with what the declaration files say of it. Nothing
// here runs. A method that is missing in lib, or takes or gives something else, is an error of `npm run lint`.

/**
 * What the compiler can see of a client. Its commands are added to the prototype, and checked by redis-methods.test.js; what
 * returns a client has them.
 * @typedef {'buffers' | 'pipeline' | 'multi' | 'duplicate' | 'ref' | 'unref'} WithCommands
 * @typedef {Omit<import('../../types/redis').RedisClient,
 *   WithCommands | keyof import('../../types/redis').RedisCommands | keyof import('node:events').EventEmitter>} OwnOfRedisClient
 */

/** @type {Omit<typeof import('../../types/index'), 'createRedis'>} */
const main = require('../../lib');

/** @type {(options?: string | import('../../types').RedisOptions) => OwnOfRedisClient} */
const createRedis = require('../../lib').createRedis;

/** @type {typeof import('../../types/express')} */
const http = require('../../lib/http');

/** @type {Omit<typeof import('../../types/session'), 'SessionStore' | 'createSessions' | 'authMiddleware'>} */
const session = require('../../lib/session');

/**
 * Without what it inherits: express-session is loaded when it is there. Each method has an overload for a callback, which JSDoc
 * cannot say of a method: its name is compared, and the rest by session.test-d.ts.
 * @typedef {{ [Name in Exclude<keyof import('../../types/session').SessionStore,
 *   'load' | 'createSession' | keyof import('node:events').EventEmitter>]: Name extends 'prefix' ? string : (...args: any[]) => any }}
 *   OwnOfSessionStore
 */

/** @type {new (options?: import('../../types/session').SessionStoreOptions) => OwnOfSessionStore} */
const SessionStore = require('../../lib/session/express/session-store').SessionStore;

/** @type {(options?: import('../../types/session').SessionsOptions) => import('../../types/session').Sessions} */
const createSessions = require('../../lib/session/tokens/sessions').createSessions;

/** @type {typeof import('../../types/session').authMiddleware} */
const authMiddleware = require('../../lib/session/auth/auth-middleware').authMiddleware;

/** @type {typeof import('../../types/keyv')} */
const keyv = require('../../lib/keyv');

module.exports = { main, createRedis, http, session, SessionStore, createSessions, authMiddleware, keyv };
