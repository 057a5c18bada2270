// The types of the Keyv adapter, with Keyv's own.
import { expectAssignable, expectError, expectType } from 'tsd';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import { createCache, type Cache } from '../..';
import { createKeyv, KeyvTiercel, type KeyvTiercelOptions } from '../../types/keyv';

const cache = createCache();
const store = new KeyvTiercel({ cache, namespace: 'users' });
expectAssignable<KeyvStoreAdapter>(store);
expectType<Cache>(store.cache);
expectType<string | undefined>(store.namespace);

expectAssignable<KeyvTiercelOptions>({});
expectAssignable<KeyvTiercelOptions>({ cache: { redis: 'redis://localhost', maxTtl: '30d' } });
new KeyvTiercel();
new KeyvTiercel('redis://127.0.0.1:6379');
expectError(new KeyvTiercel({ url: 'redis://127.0.0.1:6379' }));
expectError(new KeyvTiercel(5));

expectType<Promise<boolean>>(store.set('k', { any: 'value' }, 1000));
expectError(store.set('k', 1, '5m'));
expectType<Promise<number | undefined>>(store.get<number>('k'));
expectType<Promise<Array<string | undefined>>>(store.getMany<string>(['k']));
expectType<Promise<boolean[]>>(store.hasMany(['k']));
expectType<Promise<boolean>>(store.deleteMany(['k']));
expectType<AsyncGenerator<[string, number], void>>(store.iterator<number>());

new Keyv(store);
new Keyv({ store, namespace: 'users', ttl: 1000 });
expectType<Keyv>(createKeyv());
expectType<Keyv>(createKeyv('redis://127.0.0.1:6379'));
expectType<Keyv>(createKeyv({ cache, namespace: 'users', ttl: 60_000, throwOnErrors: true }));
expectError(createKeyv({ cache, ttl: '1m' }));
