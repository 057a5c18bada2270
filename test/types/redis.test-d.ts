// The types of the client.
import { expectError, expectType } from 'tsd';
import {
  createRedis,
  type GeoMember,
  type RedisCommands,
  type RedisError,
  type RedisStats,
  type ScoredMember,
  type StreamEntry,
} from '../..';

const redis = createRedis({ url: 'rediss://localhost', tls: { rejectUnauthorized: false }, heartbeat: '5s' });
expectType<RedisCommands<Buffer>>(redis.buffers);
expectType<Promise<'OK'>>(redis.set('k', 'v'));
expectType<Promise<Buffer | null>>(redis.buffers.get('k'));
expectType<Promise<Map<Buffer, Buffer>>>(redis.buffers.hgetall('h'));
expectType<Promise<Record<string, string>>>(redis.hgetall('h'));
expectType<Promise<string | null>>(redis.spop('s'));
expectType<Promise<string[]>>(redis.spop('s', 2));
expectType<Promise<Array<ScoredMember<string>>>>(redis.zrange('z', 0, -1, 'WITHSCORES'));
expectType<Promise<string[]>>(redis.zrange('z', 0, -1));
expectType<Promise<[string | null | RedisError, number | RedisError]>>(redis.pipeline().get('a').incr('b').exec());
expectType<Promise<[boolean | RedisError]>>(redis.multi().expire('a', 1).exec());
expectType<Promise<number[]>>(redis.pipeline<number[]>().exec());
expectType<Promise<number>>(redis.script<number>('return 1')(['k'], [1]));
expectType<AsyncGenerator<string>>(redis.scan({ match: 'a*', count: 10, type: 'string' }));
expectType<Promise<void>>(redis.ready());
expectType<Promise<void>>(redis.connect());
expectType<RedisStats>(redis.stats());
expectType<Promise<string[] | null>>(redis.lpop('l', 2));
expectType<Promise<[key: Buffer, element: Buffer] | null>>(redis.buffers.blpop('a', 'b', 1));
expectType<Promise<number[]>>(redis.lpos('l', 'e', 'COUNT', 0));
expectType<Promise<[number | RedisError, string[] | RedisError]>>(
  redis.multi().rpush('l', 1).lrange('l', 0, -1).exec(),
);
expectType<Promise<Array<[id: string, fields: Record<string, string>]>>>(redis.xrange('s', '-', '+'));
expectType<Promise<Map<Buffer, StreamEntry<Buffer>[]> | null>>(redis.buffers.xread('STREAMS', 's', 0));
expectType<Promise<string[]>>(redis.xclaim<string[]>('s', 'g', 'me', 0, '1-1', 'JUSTID'));
expectType<Promise<[id: string, consumer: string, idleMilliseconds: number, deliveries: number][]>>(
  redis.xpending('s', 'g', '-', '+', 10),
);
expectType<Promise<GeoMember[]>>(redis.geosearch<GeoMember>('g', 'FROMMEMBER', 'm', 'BYRADIUS', 1, 'km', 'WITHDIST'));
expectType<Promise<Array<[longitude: number, latitude: number] | null>>>(redis.geopos('g', 'm'));
expectType<Promise<0 | 1>>(redis.getbit('b', 0));
expectType<Promise<ScoredMember[]>>(redis.zunion<ScoredMember>(2, 'a', 'b', 'WITHSCORES'));
expectType<Promise<string[]>>(redis.zunion(2, 'a', 'b'));
expectType<Promise<[key: string, members: ScoredMember[]] | null>>(redis.zmpop(1, 'z', 'MIN'));
expectType<Promise<Array<[field: string, value: string]>>>(redis.hrandfield('h', 2, 'WITHVALUES'));
expectType<Promise<Buffer | null>>(redis.dump('k'));
expectType<Promise<Record<string, number>>>(redis.pubsubNumSub('c'));
expectError(redis.restore('k', 0, 'text'));
void redis.subscribe('c', (message) => expectType<string>(message));
void redis.subscribe('c', (message) => expectType<Buffer>(message), { buffers: true });
expectError(redis.sscan('k', { type: 'set' }));
expectError(redis.hset('h', { a: 1 }));
expectError(redis.get('a', 'b'));
