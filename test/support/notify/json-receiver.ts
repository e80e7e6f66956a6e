import { createServer } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { listening } from '../../../src/demo/lab/listening.ts';

export interface ReceivedPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** The JSON as received. */
  readonly text: string;
}

/** An HTTP server on loopback that keeps the JSON posted to it, and answers as the test decides. */
export interface JsonReceiver extends AsyncDisposable {
  readonly url: string;
  readonly posts: ReceivedPost[];
}

/** A status, optionally with headers and a body; null: no answer. */
type Answer =
  | number
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string }
  | null;

export async function jsonReceiver(
  answer: (post: ReceivedPost) => Answer | Promise<Answer> = () => 200,
): Promise<JsonReceiver> {
  const posts: ReceivedPost[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const post = { path: request.url ?? '', headers: request.headers, body: JSON.parse(text) as unknown, text };
      posts.push(post);
      return respond(post, response);
    });
  });
  async function respond(post: ReceivedPost, response: ServerResponse): Promise<void> {
    const answered = await answer(post);
    if (answered === null) return;
    const { status, headers, body } = typeof answered === 'number' ? { status: answered } : answered;
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body ?? `status ${String(status)}`);
  }
  const { port, close } = await listening(server);
  return { url: `http://127.0.0.1:${String(port)}`, posts, [Symbol.asyncDispose]: close };
}
