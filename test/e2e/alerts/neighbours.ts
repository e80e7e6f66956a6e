import { createSocket } from 'node:dgram';
import { createFirewall, type FirewallState, PLAIN_POLICY } from '../../../src/demo/lab/firewall.ts';
import type { Hosted } from '../../support/process/host.ts';
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

/** Certificates of the servers, as PEM. */
export interface NeighboursReady {
  readonly firewallCa: string;
  readonly mailCa: string;
}

/**
 * Runs FortiGate's API, a mail server, and the log sender of FortiAuthenticator, in a network namespace that has their
 * addresses.
 */
export async function host(): Promise<Hosted<NeighboursReady, NeighboursRequest>> {
  const { mailName } = NEIGHBOURS;
  const mailIdentity = await createIdentity({ name: `CN=${mailName}`, dnsNames: [mailName] });
  const firewall = await createFirewall({
    identity: await createIdentity({ name: 'CN=FortiGate', ipAddresses: [NEIGHBOURS.fortiGate] }),
    address: NEIGHBOURS.fortiGate,
    port: NEIGHBOURS.fortiGatePort,
    state: { serial: 'FG100FTK20012345', matches: 12, policies: { 12: LAN_POLICY } },
  });
  await createMailHost({
    identity: mailIdentity,
    login: NEIGHBOUR_LOGIN,
    listen: { address: NEIGHBOURS.mail, port: NEIGHBOURS.mailPort },
  });
  return {
    ready: { firewallCa: firewall.identity.pem, mailCa: mailIdentity.pem },
    answer: (request) =>
      request.kind === 'firewall' ? Object.assign(firewall.state, request.state) : sendLine(request),
  };
}

function sendLine({ line, to }: Extract<NeighboursRequest, { kind: 'line' }>): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.bind({ address: NEIGHBOURS.appliance }, () => {
      socket.send(line, to.port, to.address, () => {
        socket.close(resolve);
      });
    });
  });
}
