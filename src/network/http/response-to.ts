import type { ClientRequest, IncomingMessage } from 'node:http';
import { ProbeError } from '../failure.ts';

/** Sends the request. @throws the error of the socket or the parser, also if the peer sends no response */
export function responseTo(request: ClientRequest, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    request.once('response', (response) => {
      isOver = true;
      resolve(response);
    });
    // This listener is never removed, because node:http emits another error when the socket is finally destroyed.
    request.on('error', reject);
    // If a peer switches protocols without a request, node:http closes the connection without emitting an error.
    request.once('close', () => {
      // Every exchange emits 'close'. The error is created only if needed, because creating it captures a stack trace.
      if (!isOver) reject(new ProbeError('protocol', 'The peer ended the exchange without sending a response'));
    });
    request.end(body);
  });
}
