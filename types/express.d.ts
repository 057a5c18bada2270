/** The HTTP cache: Express middleware (4 and 5), and a listener in front of an app. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cache, Duration, Size } from './index';

declare module 'node:http' {
  interface ServerResponse {
    /**
     * Gives the response tags, by which `purge({ tag })` finds it. It is there behind every cacheResponse, whether the
     * answer may be stored or not; where a route may also be reached without one, write `res.cacheTags?.('product:7')`.
     * Express' Response has it as well. The fields `Cache-Tag` and `Surrogate-Key` do the same.
     */
    cacheTags?(...tags: Array<string | readonly string[]>): this;
  }
}

/** What of the query counts: see {@link CacheResponseOptions.query}. */
export type QueryRule =
  | 'exact'
  | 'sorted'
  | {
      /** Names that count, and no others. */
      allow: readonly string[];
    }
  | {
      /** Names that do not count; one may end in a star. */
      ignore: readonly string[];
    };

/** What became of a request. */
export type CacheOutcome =
  'hit' | 'stale-while-revalidate' | 'stale-if-error' | 'revalidated' | 'collapsed' | 'miss' | 'bypass';

/** One answered request, for {@link CacheResponseOptions.log}. */
export interface CacheLogEvent {
  /** The method of the request. */
  method: string;
  /** Path and query of the request, as the client sent them. */
  url: string;
  /** What the option `route` said of it. */
  route: string | undefined;
  /** The status of the response. */
  status: number;
  /** What became of the request. */
  outcome: CacheOutcome;
  /** Why the response was not stored, or the request passed; `''` otherwise. */
  detail: string;
  /** Seconds since the response was made. */
  age: number;
  /** Milliseconds until the response began. */
  ms: number;
}

/**
 * Options of {@link cacheResponse}. Its functions are given a request of node:http; say of which type it is to use what
 * Express or a middleware in front adds: `tags: (req: express.Request) => [req.hostname]`.
 */
export interface CacheResponseOptions<Req extends IncomingMessage = IncomingMessage> {
  /** Where answers are kept. Default: one memory cache (and Redis, if the environment names one) for all mounts. */
  cache?: Cache | undefined;
  /**
   * What the options below that a standard asks for, but an app with real users should not do, are preset to.
   * `'safe'` (default): none of `storeSetCookie`, `partial`, `lenientDates`. `'standards'`: all of them, for a
   * cache that behaves like a shared proxy in front of an origin that knows about it.
   */
  profile?: 'safe' | 'standards' | undefined;
  /** The name of this cache in the Cache-Status field (RFC 9211). Default `'tiercel'`. */
  name?: string | undefined;
  /**
   * How long a response with status 200 is fresh that does not say so itself (`Cache-Control: max-age`, `s-maxage`,
   * `Expires`). Default: such a response is stored only if {@link heuristics} gives it a lifetime.
   */
  ttl?: Duration | undefined;
  /** A larger body is sent, and not stored. Default `'1mb'`. */
  maxBodyBytes?: Size | undefined;
  /**
   * The key of a request, in place of scheme, host, path and query. A function that throws or gives no string makes the
   * request uncached.
   *
   * Risk: whatever the key leaves out, the response must not depend on.
   */
  key?: ((req: Req) => string) | undefined;
  /**
   * What of the query is part of the key. `'exact'` (default): all of it, as it is. `'sorted'`: by name, repeated names in
   * their order. `{ allow }`: these names alone. `{ ignore }`: all but these; a name may end in a star (`'utm_*'`).
   *
   * Risk: the handler still sees the whole query; what the key leaves out, the response must not depend on.
   */
  query?: QueryRule | undefined;
  /** Request header fields by which answers are told apart as if each of them said so in `Vary`. Default: none. */
  vary?: readonly string[] | undefined;
  /**
   * Whose answer a request gets: every identity has answers of its own, private ones too. `undefined` or `null`: nobody's
   * in particular. A function that throws makes the request uncached.
   *
   * Risk: two users that it does not tell apart are given one another's pages.
   */
  identity?: ((req: Req) => string | undefined | null) | undefined;
  /**
   * Request header fields that are part of the key where a request has them: those that proxies set and apps build links
   * from. Default: `Forwarded` and `X-Forwarded-Host`, `-Port`, `-Prefix` and `-Proto`.
   *
   * Risk of an empty list: a client that sends such a field decides what others are answered.
   */
  keyHeaders?: readonly string[] | undefined;
  /** Tags of every response, known before the handler runs. {@link ServerResponse.cacheTags} adds others. */
  tags?: readonly string[] | ((req: Req) => readonly string[]) | undefined;
  /**
   * Targeted cache control fields (RFC 9213) that count for this cache in place of `Cache-Control` and `Expires`; the first
   * that a response has. Default `['CDN-Cache-Control']`.
   */
  targets?: readonly string[] | undefined;
  /** Whether `Last-Modified` gives a response without explicit freshness a lifetime (RFC 9111, 4.2.2). Default `true`. */
  heuristics?: boolean | undefined;
  /**
   * Whether answers with `Set-Cookie` are stored, cookies and all. Default `false`.
   *
   * Risk: everybody is given the session that was made for one visitor.
   */
  storeSetCookie?: boolean | undefined;
  /**
   * Whether answers to Range requests (206) are stored, and serve the ranges that they cover. Default `false`.
   *
   * Risk: a handler whose `Content-Range` is wrong spoils what others are given.
   */
  partial?: boolean | undefined;
  /**
   * Whether the response to a POST that names its own URL in `Content-Location`, with explicit freshness, is stored as the
   * answer to a GET of it (RFC 9110, 9.3.3). Default `true`.
   */
  storePost?: boolean | undefined;
  /**
   * Whether the `Cache-Control` of requests counts (`no-cache`, `max-age`, `min-fresh`, `max-stale`, `only-if-cached`).
   * `no-store` always does. Default `false`.
   *
   * Risk: any client can have the handler run as often as it likes.
   */
  requestDirectives?: boolean | undefined;
  /**
   * Whether `If-Modified-Since` is believed where the stored response has no `Last-Modified`. Default `false`.
   *
   * Risk: a client with a wrong date keeps an old page.
   */
  lenientDates?: boolean | undefined;
  /**
   * For how long after its lifetime a response is served while the app runs again behind it, where the response itself does
   * not say (`stale-while-revalidate`, RFC 5861). Default 0. That run passes all middlewares, with a request of its own.
   */
  staleWhileRevalidate?: Duration | undefined;
  /** For how long a stale response stands in for a 500, 502, 503 or 504, where it does not say (RFC 5861). Default 0. */
  staleIfError?: Duration | undefined;
  /**
   * For how long a stale response stands in for a 502 or 504, which say that something behind the handler could not be
   * reached (RFC 9111, 4.2.4). Default one hour; 0: not at all.
   */
  staleIfDisconnected?: Duration | undefined;
  /** How long a stale response with a validator is kept, to be revalidated. Default one hour. */
  retain?: Duration | undefined;
  /**
   * How long concurrent requests wait for the handler of the first one, whose answer they share if it may be shared.
   * Default (and `true`): 5 seconds. `false`: not at all.
   */
  collapse?: boolean | Duration | undefined;
  /**
   * For how long a handler holds back those of other processes after its process has died. While it runs its lease is
   * renewed. Default 2 seconds.
   */
  leaseTimeout?: Duration | undefined;
  /** For how long nobody waits for anybody after a response that was not to be stored. Default 2 seconds. */
  hitForMiss?: Duration | undefined;
  /**
   * Codings in which answers are stored besides the plain one. `true`: Brotli and gzip. Default: none. `'zstd'` needs
   * Node 22.15.
   */
  compress?: boolean | ReadonlyArray<'br' | 'gzip' | 'zstd'> | undefined;
  /** Whether answers say in `Server-Timing` what the cache did. Default `false`. */
  serverTiming?: boolean | undefined;
  /**
   * Whether a warning names request header fields that a handler reads, and its stored response does not vary by. Default:
   * unless NODE_ENV is `'production'`.
   */
  warnings?: boolean | undefined;
  /** `true`: one line on the console for each response. Or a function that is given it as an object. */
  log?: boolean | ((event: CacheLogEvent) => void) | undefined;
  /** The name of a request's route, for `stats().routes` and the log; not its URL, which would be too many. */
  route?: ((req: Req) => string) | undefined;
}

/** What a purge makes go. At least one of `url`, `tag`, `key` and `pattern`. */
export interface PurgeOptions {
  /** Whole URLs, `https://shop.example/products?page=1`: every variant of each. */
  url?: string | readonly string[] | undefined;
  /** Every response that has one of these tags. */
  tag?: string | readonly string[] | undefined;
  /** A glob of whole URLs, `https://shop.example/products/*`. It looks at every key: prefer tags. */
  pattern?: string | undefined;
  /** What the option `key` gave for the request. */
  key?: string | undefined;
  /** What is purged by `url` or `key` stays, as stale: to be revalidated, and to stand in for an error. */
  soft?: boolean | undefined;
}

/** How many requests ended how. */
export interface CacheResponseCounters {
  /** Answered from the cache, fresh. */
  hits: number;
  /** Answered with a stale response, while the app ran behind it. */
  staleWhileRevalidate: number;
  /** Answered with a stale response in place of an error of the app. */
  staleIfError: number;
  /** The app said that the stored response is still good. */
  revalidated: number;
  /** Answered by somebody else's handler. */
  collapsed: number;
  /** Answered by the app, as nothing that is stored fits. */
  misses: number;
  /** Past the cache: the request is not one that may be cached. */
  bypasses: number;
}

/** What a mount has done since it was made. */
export interface CacheResponseStats extends CacheResponseCounters {
  /** Why answers were not stored, or requests passed, and how often. */
  refused: Record<string, number>;
  /** By route, if the option `route` is given; the first 1000, and `other`. */
  routes: Record<string, CacheResponseCounters>;
}

/** What a middleware and a listener of {@link cacheResponse} have beside being called. */
export interface CacheResponseControls {
  /**
   * Makes stored responses go, of this mount and others on the same cache, in every process; handlers that run at that
   * moment do not store theirs. Rejects with CacheUnavailableError when Redis did not acknowledge it, and with a TypeError
   * for options that are not valid.
   */
  purge(what: PurgeOptions): Promise<void>;
  /** What this mount has done since it was made. */
  stats(): CacheResponseStats;
}

/** What Express and Connect give a middleware, to go on or to fail. */
export type NextFunction = (error?: unknown) => void;
/** What http.createServer takes; an Express app is one. */
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;
/** Express middleware, with its controls. `Req`: what its options need of a request. */
export type CacheResponseMiddleware<Req extends IncomingMessage = IncomingMessage> = ((
  req: Req,
  res: ServerResponse,
  next: NextFunction,
) => void) &
  CacheResponseControls;
/** A listener for http.createServer, with its controls. */
export type CachedListener = RequestListener & CacheResponseControls;

/** The type of {@link cacheResponse}. */
export interface CacheResponse {
  /** Express middleware: put it before the routes that it is to cache. */
  <Req extends IncomingMessage = IncomingMessage>(options?: CacheResponseOptions<Req>): CacheResponseMiddleware<Req>;
  /** Answers hits before the app runs: `http.createServer(cacheResponse.front(app, options))`. */
  front(app: RequestListener, options?: CacheResponseOptions): CachedListener;
}

/**
 * An HTTP cache as Express or Connect middleware: `app.use(cacheResponse({ ttl: '30s' }))`.
 * @throws {TypeError} naming the option that is not valid.
 */
export const cacheResponse: CacheResponse;
