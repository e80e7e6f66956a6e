import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface SocketRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SocketAnswer {
  readonly status: number;
  /** The media type, or `nothing`. */
  readonly type: string;
  readonly text: string;
}

/** Sends a request to a daemon's control socket, as `curl --unix-socket` does. */
export async function askSocket(
  socketPath: string,
  { method, path, body = '', headers = {} }: SocketRequest,
): Promise<SocketAnswer> {
  const sent = request({
    socketPath,
    path,
    method,
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    agent: false,
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? 'nothing',
    text: await text(response),
  };
}
