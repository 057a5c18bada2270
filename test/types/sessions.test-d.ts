// The types of createSessions and authMiddleware.
import { expectAssignable, expectError, expectType } from 'tsd';
import express = require('express');
import { createCache, createRedis, type Cache } from '../..';
import {
  authMiddleware,
  createSessions,
  type Auth,
  type AuthMiddleware,
  type Session,
  type SessionEntry,
  type Sessions,
  type SessionsOptions,
} from '../../types/sessions';

interface Cart {
  items: number[];
  coupon?: string;
}
interface User {
  id: number;
  name: string;
}
declare const findUser: (id: string | undefined) => Promise<User | null>;

// createSessions
const cache = createCache();
const sessions = createSessions<Cart>({ cache, ttl: '1h', maxAge: '7d', keys: [Buffer.alloc(32)], hashIds: true });
expectType<Sessions<Cart>>(sessions);
expectType<Sessions<Record<string, any>>>(createSessions());
expectAssignable<SessionsOptions>({ redis: 'redis://127.0.0.1', prefix: 's:' });
expectAssignable<SessionsOptions>({ redis: createRedis() });
expectAssignable<SessionsOptions>({ redis: { host: 'localhost' }, keys: ['00'.repeat(32)] });
expectError(createSessions({ cache, maxage: 5 }));
expectError(createSessions({ keys: 'secret' }));
expectType<Cache | undefined>(sessions.cache);

// One session
expectType<Promise<Session<Cart>>>(
  sessions.create({ items: [1] }, { userId: 7, label: 'phone', userAgent: 'x', ttl: '5m' }),
);
expectType<Promise<Session<Cart>>>(sessions.create());
expectError(sessions.create({ itens: [] }));
expectError(sessions.create({ items: [] }, { user: 7 }));
expectType<Promise<Session<Cart> | undefined>>(sessions.get('id'));
expectError(sessions.get(5));
expectType<Promise<boolean>>(sessions.set('id', { items: [] }));
expectError(sessions.set('id', {}));
expectType<Promise<Session<Cart> | undefined>>(sessions.update('id', { coupon: 'x' }));
expectType<Promise<Session<Cart> | undefined>>(sessions.update('id', (data) => ({ items: [...data.items, 1] })));
expectType<Promise<Session<Cart> | undefined>>(
  sessions.update('id', async (data) => {
    data.items.push(1);
  }),
);
expectError(sessions.update('id', { items: 'none' }));
expectType<Promise<boolean>>(sessions.destroy('id'));
expectType<Promise<boolean>>(sessions.exists('id'));
expectType<Promise<boolean>>(sessions.refresh('id'));
sessions.get('id').then((session) => {
  if (session === undefined) return;
  expectType<number[]>(session.data.items);
  expectType<string | undefined>(session.userId);
  expectType<Date>(session.expiresAt);
  expectType<Promise<boolean>>(sessions.refresh(session));
});

// All of a user's
expectType<Promise<SessionEntry[]>>(sessions.allForUser('7'));
expectType<Promise<number>>(sessions.destroyAllForUser(7, { except: 'id' }));
expectError(sessions.destroyAllForUser(7, { but: 'id' }));
expectType<Promise<boolean>>(sessions.destroyForUser(7n, sessions.handleOf('id')));
sessions.allForUser(7).then(([entry]) => expectError(entry.id));
sessions.on('error', (error) => expectType<Error>(error));
expectType<Promise<void>>(sessions.close());

// authMiddleware
const auth = authMiddleware({ sessions, load: ({ userId }) => findUser(userId), ttl: '1m', cookie: '__Host-sid' });
expectType<AuthMiddleware>(auth);
expectType<Promise<void>>(auth.forget(7));
const app = express();
app.use(auth);
app.use('/admin', authMiddleware({ sessions, required: false, refreshAfter: false, bearer: false }));
authMiddleware<User, Cart>({
  sessions,
  load: (session, req, { signal }) => {
    expectType<number[]>(session.data.items);
    expectType<AbortSignal>(signal);
    return findUser(session.userId);
  },
  onUnauthorized: (req, res) => res.redirect('/login'),
});
expectError(authMiddleware({}));
expectError(authMiddleware({ sessions, cookie: true }));
declare const known: Auth<User, Cart>;
expectType<string>(known.user.name);
expectType<number[]>(known.session.data.items);
