import { createServer } from 'node:tls';
import { createAuthorities } from '../../src/demo/lab/authorities.ts';
import { createIdentity, credentialsOf, type Identity } from '../../src/demo/lab/identity.ts';
import { listening, type Listening, type Place } from '../../src/demo/lab/listening.ts';
import { createMailHost } from '../../src/demo/lab/mail-host.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../src/demo/lab/site.ts';
import { createDnsServer, zone } from '../../test/support/network/dns-server.ts';
import type { Hosted } from '../../test/support/process/host.ts';

export interface SitePorts {
  readonly dns: number;
  readonly license: number;
  readonly controls: readonly number[];
  readonly mail: number;
}

export interface ServedSite {
  readonly ports: SitePorts;
  /** PEM of the roots: of the licence server and the mail server, and of the control hosts. */
  readonly fortinetCa: string;
  readonly otherCa: string;
}

/** Starts all servers that are probed. @param addresses addresses of the licence server and the resolver */
export async function host(
  addresses: readonly string[],
  stack: AsyncDisposableStack,
): Promise<Hosted<ServedSite, never>> {
  const { fortinet, other, licenseServer } = await createAuthorities();
  const dnsNames = [LICENSE_HOST, MAIL_HOST];
  const license = await createIdentity({ name: licenseServer.name, issuer: fortinet.sub, dnsNames });
  const names = zone({
    [LICENSE_HOST]: addresses.map((data) => ({ name: LICENSE_HOST, type: 'A', data })),
    ...Object.fromEntries(
      [MAIL_HOST, ...CONTROL_HOSTS].map((name) => [name, [{ name, type: 'A', data: '127.0.0.1' }]]),
    ),
  });
  const serve = async (identity: Identity, status: string, place?: Place): Promise<number> =>
    stack.use(await serveHttps(identity, status, place)).port;
  // The same ports at all addresses.
  const at = { dns: 0, license: 0 };
  for (const address of addresses) {
    at.dns = stack.use(await createDnsServer(names, { address, port: at.dns })).port;
    at.license = await serve(license, '404 Not Found', { address, port: at.license });
  }
  const sub = await createIdentity({ name: 'O=Example Trust, CN=Example Issuing CA', issuer: other, authority: true });
  const controls: number[] = [];
  for (const name of CONTROL_HOSTS) {
    const own = { name: `CN=${name}`, issuer: sub, dnsNames: [name], key: 'RSA-2048' } as const;
    controls.push(await serve(await createIdentity(own), '200 OK'));
  }
  const mail = stack.use(await createMailHost({ identity: license })).port;
  return { ready: { ports: { ...at, controls, mail }, fortinetCa: fortinet.root.pem, otherCa: other.pem } };
}

function serveHttps(identity: Identity, status: string, place?: Place): Promise<Listening> {
  // Go's default curve, which the product offers first as well.
  const server = createServer({ ...credentialsOf(identity), ecdhCurve: 'X25519' }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request: Buffer) => {
      // There is no Date header, because it would be wrong for a daemon whose time jumps.
      const body = request.toString('latin1', 0, 4) === 'HEAD' ? '' : 'Nothing here\n';
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 13\r\nConnection: close\r\n\r\n${body}`);
    });
  });
  return listening(server, place);
}
