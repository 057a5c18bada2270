/** Keyv 5 on Tiercel, for ES modules: all of keyv.d.ts, and createKeyv() with the Keyv that ES modules import. */
// keyv has declarations for CommonJS and for ES modules, and its class has private members: the two are different types.
import type { Keyv } from 'keyv';
import type { CreateKeyvOptions } from './keyv.js';

export * from './keyv.js';

/**
 * A Keyv over a store of its own, with `useKeyPrefix: false`: the store keeps namespaces apart. Needs the package `keyv`.
 * @param options or the URL of a Redis
 */
export function createKeyv(options?: CreateKeyvOptions | string): Keyv;
