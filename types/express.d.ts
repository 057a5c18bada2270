/** The HTTP cache: Express middleware (4 and 5), and a listener in front of an app. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cache, Duration, Size } from './index';

/** Options of {@link cacheResponse}. */
export interface CacheResponseOptions {
  /** Where answers are kept. Default: one memory cache (and Redis, if the environment names one) for all middlewares. */
  cache?: Cache;
  /**
   * How long an answer is fresh that does not say so itself (`Cache-Control: max-age`, `s-maxage`, `Expires`).
   * Default: such an answer is not stored.
   */
  ttl?: Duration;
  /** A larger body is sent, and not stored. Default `'1mb'`. */
  maxBodyBytes?: Size;
  /** The key of a request. Default: method (HEAD shares GET's), host, path and query. */
  key?: (req: IncomingMessage) => string;
  /** The name of this cache in the Cache-Status field (RFC 9211). Default `'tiercel'`. */
  name?: string;
}

export type NextFunction = (error?: unknown) => void;
export type CacheResponseMiddleware = (req: IncomingMessage, res: ServerResponse, next: NextFunction) => void;
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;

export interface CacheResponse {
  /** Express middleware: put it before the routes that it is to cache. */
  (options?: CacheResponseOptions): CacheResponseMiddleware;
  /** Answers hits before the app runs: `http.createServer(cacheResponse.front(app, options))`. */
  front(app: RequestListener, options?: CacheResponseOptions): RequestListener;
}

export const cacheResponse: CacheResponse;
