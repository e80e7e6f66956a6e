import { createSocket } from 'node:dgram';
import { createFirewall, type FirewallState, PLAIN_POLICY } from '../../../src/demo/lab/firewall.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';

/** Addresses of the other hosts in the site's network. The FortiGate is its gateway. */
export const NEIGHBOURS = {
  fortiGate: '10.20.0.1',
  fortiGatePort: 443,
  appliance: '10.20.0.5',
  mail: '10.20.0.25',
  mailName: 'mail.example.org',
  mailPort: 587,
} as const;

/** FortiAuthenticator's login at the mail server. */
export const NEIGHBOUR_LOGIN = { user: 'fac@example.org', password: 'of-the-mail-server' } as const;

/** FortiGate's policy for the site's network, which allows all traffic. */
export const LAN_POLICY = { ...PLAIN_POLICY, policyid: 12, name: 'LAN-to-Internet', nat: 'enable', schedule: 'always' };

export type NeighboursRequest =
  | { readonly kind: 'firewall'; readonly state: Partial<FirewallState> }
  /** Makes FortiAuthenticator send a line to the daemon. */
  | { readonly kind: 'line'; readonly line: string; readonly to: { readonly address: string; readonly port: number } };

/** The first message: certificates of the servers, as PEM. */
export interface NeighboursReady {
  readonly firewallCa: string;
  readonly mailCa: string;
}

/**
 * A program with FortiGate's API, a mail server, and the log sender of FortiAuthenticator, in the network namespace
 * in which it is started and which has their addresses. It sends the certificates to trust, executes requests, and
 * exits with its parent.
 */
async function host(): Promise<void> {
  const firewallIdentity = await createIdentity({ name: 'CN=FortiGate', ipAddresses: [NEIGHBOURS.fortiGate] });
  const { mailName } = NEIGHBOURS;
  const mailIdentity = await createIdentity({ name: `CN=${mailName}`, dnsNames: [mailName] });
  const firewall = await createFirewall({
    identity: firewallIdentity,
    address: NEIGHBOURS.fortiGate,
    port: NEIGHBOURS.fortiGatePort,
    state: {
      serial: 'FG100FTK20012345',
      matches: 12,
      policies: { 12: LAN_POLICY },
    },
  });
  await createMailHost({
    identity: mailIdentity,
    login: NEIGHBOUR_LOGIN,
    listen: { address: NEIGHBOURS.mail, port: NEIGHBOURS.mailPort },
  });
  process.once('disconnect', () => process.exit());
  process.on('message', (request: NeighboursRequest) => {
    if (request.kind === 'firewall') {
      Object.assign(firewall.state, request.state);
      process.send?.('done');
      return;
    }
    const socket = createSocket('udp4');
    socket.bind({ address: NEIGHBOURS.appliance }, () => {
      socket.send(request.line, request.to.port, request.to.address, () => {
        socket.close();
        process.send?.('done');
      });
    });
  });
  const ready: NeighboursReady = { firewallCa: firewallIdentity.pem, mailCa: mailIdentity.pem };
  process.send?.(ready);
}

// This module is either imported for its names or started as a program.
if (process.send !== undefined && process.argv[1]?.endsWith('neighbours-host.ts') === true) void host();
