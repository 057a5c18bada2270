// What is built on Keyv, with a store of ours, in an ES module. Compiled only.
import { createCache as createManager } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import { createCache } from 'tiercel';
import { createKeyv, KeyvTiercel } from 'tiercel/keyv';
// @ts-expect-error: its exports are named
import Default from 'tiercel/keyv';

const cache = createCache({ redis: false });
export const keyv: Keyv = createKeyv({ cache });
export const manager = createManager({ stores: [createKeyv({ cache })] });
export const cacheable = new Cacheable({ secondary: createKeyv({ cache }) });
export const store = new Keyv({ store: new KeyvTiercel({ cache }) });
export type None = typeof Default;
