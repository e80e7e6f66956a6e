import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';

const OFFER = '250-bench\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n';

/**
 * A mail server that accepts everything and offers STARTTLS. Unlike real servers, it sends its greeting immediately.
 */
export function serveSmtp(socket: Socket, secureContext: SecureContext, onSecure: (socket: TLSSocket) => void): void {
  socket.on('error', () => undefined);
  socket.write('220 bench ESMTP\r\n');
  converse(socket, `${OFFER}250 STARTTLS\r\n`, () => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    secure.on('error', () => undefined);
    secure.once('secure', () => {
      onSecure(secure);
    });
    converse(secure, `${OFFER}250 SIZE 1000000\r\n`, () => undefined);
  });
}

function converse(socket: Socket, offer: string, startTls: () => void): void {
  let pending = '';
  function onData(chunk: Buffer): void {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const verb = pending.slice(0, 4).toUpperCase();
      pending = pending.slice(end + 1);
      if (verb === 'STAR') {
        socket.off('data', onData).pause();
        socket.write('220 Go ahead\r\n', startTls);
        return;
      }
      if (verb === 'QUIT') socket.end('221 Bye\r\n');
      else socket.write(verb === 'EHLO' ? offer : '250 OK\r\n');
    }
  }
  socket.on('data', onData);
}
