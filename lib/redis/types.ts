// Shapes that the files of this folder hand to each other. Types alone: nothing here is loaded.

/** What becomes of an answer; `buffers`: its strings are Buffers. */
export type Transform = (reply: any, buffers?: boolean) => any;

/** What becomes of the answer to these arguments; undefined: it is taken as it is. */
export type Choice = (args: readonly any[]) => Transform | undefined;

/** A method: its name, the words of the command, and what becomes of the answer when it is not taken as it is. */
export type Row = [method: string, words: string, transform?: Transform, choose?: Choice];

/**
 * One command: its number (-1: its name is the first argument), what an error calls it, and what its answer becomes.
 */
export interface Command {
  number: number;
  name: string;
  args: readonly any[];
  transform: Transform | undefined;
  /** it may wait on the server */
  endless: boolean;
  /** ms after which it ends by itself; Infinity: never */
  waits?: number;
}

/** of the native connection */
export interface LinkState {
  /** whether the server announces changes of what was read */
  tracking: boolean;
  /** whether it has not answered in time, and not since */
  unresponsive: boolean;
  /** why there is no connection; '' */
  reason: string;
  /** 2 or 3 */
  protocol: number;
}

export interface NativeRedisOptions {
  host: string;
  port: number;
  /** of the addresses of the host: 4, 6, or 0 for both */
  family: number;
  /** '' for TCP */
  path: string;
  /** '' when there is none, or when it is asked for */
  username: string;
  /** likewise */
  password: string;
  /** asked for each connection */
  credentials: (() => Promise<[username: string, password: string]>) | undefined;
  db: number;
  clientName: string;
  protocol: number;
  /** milliseconds, 0 for none */
  commandTimeout: number;
  /** milliseconds, 0 for none */
  connectTimeout: number;
  /** milliseconds, 0 for none */
  heartbeat: number;
  /** milliseconds between two attempts to connect, at first */
  backoffMin: number;
  /** at most */
  backoffMax: number;
  /** asked for the milliseconds before each attempt; false or null: there is none */
  reconnect: ((attempt: number) => unknown) | undefined;
  tls: import('node:tls').ConnectionOptions | undefined;
  /** whether commands wait for a connection */
  offlineQueue: boolean;
  maxQueuedCommands: number;
  maxQueuedBytes: number;
}
