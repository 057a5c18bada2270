// The types of tiercel/session, as an application of express-session uses them.
import session from 'express-session';
import { expectAssignable, expectError, expectType } from 'tsd';
import { createCache } from '../../types';
import { SessionError, SessionStore, type SessionData } from '../../types/session';

const store = new SessionStore({ cache: createCache(), prefix: 'sess:', ttl: '30m', touchAfter: 60 });
expectAssignable<session.Store>(store);
session({ store, secret: 'x', resave: false, saveUninitialized: false });

new SessionStore();
new SessionStore({ redis: 'redis://localhost', ttl: (data) => (data.remember ? '30d' : 3600) });
new SessionStore({ onConflict: 'reject', keys: ['00', Buffer.alloc(32)], hashIds: true });
new SessionStore({ onConflict: async (base, mine, theirs) => ({ ...base, ...theirs, ...mine }) });
new SessionStore({ serializer: JSON });
expectError(new SessionStore({ onConflict: 'deep' }));
expectError(new SessionStore({ ttl: '30 minutes' }));
expectError(new SessionStore({ client: {} }));

expectType<Promise<SessionData | null>>(store.get('id'));
expectType<void>(store.get('id', (error, data) => data?.cookie.originalMaxAge));
expectType<Promise<string[]>>(store.ids());
expectType<Promise<void>>(store.close());

declare const thrown: unknown;
if (thrown instanceof SessionError) {
  expectType<'SESSION_CONFLICT' | 'SESSION_UNREADABLE' | 'SESSION_UNAVAILABLE' | 'SESSION_CLOSED'>(thrown.code);
  expectType<string | undefined>(thrown.id);
}
