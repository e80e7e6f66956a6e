// Exits with 0 if the daemon in this container answers. Otherwise, it prints the reason and exits with 1. If web.listen
// or web.tls differ from the image's settings, set the address in FTM_WATCH_HEALTH_URL. Node's HTTP client is not used,
// because it would double the CPU time of each health check.
import { connect, type Socket } from 'node:net';

const address = process.env['FTM_WATCH_HEALTH_URL'] || 'http://127.0.0.1:9843/-/healthy';
const { protocol, host, hostname, port, pathname } = new URL(address);
const isTls = protocol === 'https:';
const target = { host: hostname.replaceAll(/[[\]]/gu, ''), port: Number(port || (isTls ? 443 : 80)) };

async function open(): Promise<Socket> {
  if (!isTls) return connect(target);
  const tls = await import('node:tls');
  // The connection is on loopback and sends no secrets. The certificate contains the name of the site.
  return tls.connect({ ...target, rejectUnauthorized: false });
}

function fail(reason: string): void {
  process.stderr.write(`Cannot ask "${address}": ${reason}\n`);
  process.exitCode = 1;
}

void open().then((socket) => {
  let answer = '';
  socket.setEncoding('latin1');
  socket.setTimeout(4_000, () => socket.destroy(new Error('no answer within 4 s')));
  socket.on('error', ({ message }) => fail(message));
  socket.on('data', (text: string) => (answer += text));
  socket.on('end', () => {
    const [status = ''] = answer.split('\r\n');
    if (!status.startsWith('HTTP/1.1 200 ')) fail(`expected the status 200, got "${status}"`);
  });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
});
