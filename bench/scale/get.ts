import { get as request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Uses a separate connection, because a kept one may be closed at the moment of its next use. */
export function get(url: URL): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, (response) => {
      void text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    }).on('error', reject);
  });
}
