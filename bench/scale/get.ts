import { get as request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Over a connection of its own: one that is kept may be closed just when it is used again. */
export function get(url: URL): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, (response) => {
      void text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    }).on('error', reject);
  });
}
