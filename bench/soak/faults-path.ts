import type { CauseId } from '../../src/checks/registry.ts';
import type { Fault } from './faults.ts';
import type { Lie } from './resolvers.ts';
import {
  FILTER_ADDRESS,
  LICENSE_ADDRESSES,
  LICENSE_HOST,
  MAIL_HOST,
  MOVED_ADDRESS,
  PUSH_ADDRESSES,
  PUSH_HOST,
} from './site.ts';
import { identityOf, type World } from './world.ts';

const SQUID =
  '<!DOCTYPE html><html><head><title>Web Page Blocked</title></head><body><h1>FortiGuard - Web Page ' +
  'Blocked</h1></body></html>';

type Acts = Pick<Fault, 'begin' | 'end'> &
  Partial<Pick<Fault, 'isTold' | 'isNoticed' | 'during' | 'before' | 'isShare'>>;

function onPath(name: string, cause: CauseId, acts: Acts): Fault {
  return { name, cause, finder: 'rounds', isTold: true, isNoticed: true, ...acts };
}

/** Sets the same false answer on both resolvers. */
function lies(name: string, lie: Lie): Pick<Fault, 'begin' | 'end'> {
  return {
    begin: ({ resolvers, conductor }) => {
      for (const resolver of resolvers) resolver.lies.set(name, lie);
      if (lie.kind === 'silent') conductor.silences.add('resolvers');
    },
    end: ({ resolvers, conductor }) => {
      for (const resolver of resolvers) resolver.lies.delete(name);
      conductor.silences.delete('resolvers');
    },
  };
}

function onLicenseServer(begin: (world: World) => Promise<void> | void): Pick<Fault, 'begin' | 'end'> {
  return { begin, end: restore };
}

async function restore({ license, push, controls, certificates: { genuine, hosts } }: World): Promise<void> {
  license.show(() => genuine);
  push.show(() => identityOf(hosts, PUSH_HOST));
  for (const control of controls) control.show((name) => hosts.get(name) ?? genuine);
  for (const gate of [license, push, ...controls]) await gate.set({ kind: 'open' });
  Object.assign(license.manners, { status: 404, page: null, delay: 0 });
}

/** Inspects everything under one authority, as a firewall policy with deep inspection does. */
function inspect({ license, push, controls, certificates: { inspected } }: World): void {
  for (const gate of [license, push, ...controls]) gate.show((name) => identityOf(inspected, name));
}

export const PATH_FAULTS: readonly Fault[] = [
  onPath('internet-unreachable', 'internet-unreachable', {
    begin: async ({ license, push, controls }) => {
      for (const gate of [license, push, ...controls]) await gate.set({ kind: 'refused' });
    },
    end: restore,
  }),
  onPath('resolvers-silent', 'resolver-unreachable', lies('', { kind: 'silent' })),
  onPath('resolvers-fail', 'resolver-unreachable', lies('', { kind: 'server-failure' })),
  onPath('name-not-found', 'name-not-found', lies(LICENSE_HOST, { kind: 'not-found' })),
  onPath('answer-hijacked', 'answer-hijacked', lies(LICENSE_HOST, { kind: 'addresses', addresses: [FILTER_ADDRESS] })),
  onPath('answer-unexpected', 'answer-unexpected', {
    ...lies(LICENSE_HOST, { kind: 'addresses', addresses: [MOVED_ADDRESS] }),
    isNoticed: false,
  }),
  onPath('resolvers-disagree', 'resolvers-disagree', {
    begin: ({ resolvers }) => {
      for (const [index, resolver] of resolvers.entries())
        resolver.lies.set(PUSH_HOST, { kind: 'addresses', addresses: PUSH_ADDRESSES.slice(index, index + 1) });
    },
    end: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.lies.delete(PUSH_HOST);
    },
    isNoticed: false,
  }),
  onPath('egress-blocked', 'egress-blocked', {
    begin: async ({ license, firewall }) => {
      firewall.state.matches = 0;
      await license.set({ kind: 'refused' });
    },
    end: async (world) => {
      world.firewall.state.matches = 5;
      await restore(world);
    },
  }),
  onPath(
    'license-server-gone',
    'license-server-down',
    onLicenseServer(({ license }) => license.set({ kind: 'refused' })),
  ),
  onPath('egress-partly-blocked', 'egress-partly-blocked', {
    begin: async (world) => {
      await lies(LICENSE_HOST, { kind: 'addresses', addresses: LICENSE_ADDRESSES }).begin(world);
      await world.license.set({ kind: 'refused' }, LICENSE_ADDRESSES.slice(1));
    },
    end: async (world) => {
      await lies(LICENSE_HOST, { kind: 'not-found' }).end(world);
      await restore(world);
    },
    isNoticed: false,
  }),
  onPath('tls-intercepted', 'tls-intercepted', onLicenseServer(inspect)),
  onPath('tls-intercepted-admitted', 'tls-intercepted', {
    begin: ({ log }) => log.admitInspection(),
    end: () => undefined,
    during: ({ log }) => log.admitInspection(),
  }),
  onPath('tls-block-page', 'tls-intercepted', {
    begin: (world) => {
      inspect(world);
      Object.assign(world.license.manners, { status: 403, page: SQUID });
    },
    end: restore,
  }),
  onPath(
    'tls-interception-suspected',
    'tls-interception-suspected',
    onLicenseServer(({ license, certificates: { strange } }) => {
      license.show(() => strange);
    }),
  ),
  onPath(
    'tls-reset',
    'tls-blocked',
    onLicenseServer(({ license }) => license.set({ kind: 'reset' })),
  ),
  onPath('tls-half-reset', 'tls-blocked', {
    ...onLicenseServer(({ license }) => license.set({ kind: 'half-reset' })),
    // FortiAuthenticator logs errors while the first rounds may still hit the good half.
    before: 'polling-failing',
    isShare: true,
  }),
  onPath(
    'tls-silent',
    'tls-blocked',
    onLicenseServer(({ license }) => license.set({ kind: 'silent' })),
  ),
  onPath(
    'certificate-broken',
    'certificate-broken',
    onLicenseServer(({ license, certificates: { expired } }) => {
      license.show(() => expired);
    }),
  ),
  onPath('vendor-ca-changed', 'vendor-ca-changed', {
    begin: ({ license, certificates: { moved } }) => {
      license.show(() => moved);
    },
    end: restore,
    isNoticed: false,
  }),
  onPath('certificate-rotated', 'certificate-rotated', {
    begin: ({ license, certificates: { rotated } }) => {
      license.show(() => rotated);
    },
    end: restore,
    isNoticed: false,
    isTold: false,
  }),
  onPath(
    'license-server-down',
    'license-server-down',
    onLicenseServer(({ license }) => {
      license.manners.status = 503;
    }),
  ),
  onPath('mail-unreachable', 'mail-unreachable', {
    begin: ({ mail }) => mail.close(),
    end: ({ mail }) => mail.open(),
    isNoticed: false,
  }),
  onPath('mail-tls-broken', 'mail-tls-broken', {
    begin: ({ mail, certificates }) => {
      mail.identity = certificates.mailSelfSigned;
    },
    end: ({ mail, certificates }) => {
      mail.identity = identityOf(certificates.hosts, MAIL_HOST);
    },
    isNoticed: false,
  }),
  onPath('mail-login-rejected', 'mail-login-rejected', {
    ...replies('AUTH', '535 5.7.8 authentication failed'),
    isNoticed: false,
  }),
  onPath('mail-recipient-rejected', 'mail-recipient-rejected', {
    ...replies('RCPT', '550 5.1.1 Recipient address rejected: User unknown'),
    isNoticed: false,
  }),
  onPath('clock-ahead', 'clock-skewed', { ...clockSet(10 * 60_000), isNoticed: false }),
  onPath('clock-behind', 'clock-skewed', { ...clockSet(-25 * 60_000), isNoticed: false }),
];

function replies(verb: string, reply: string): Pick<Fault, 'begin' | 'end'> {
  return {
    begin: ({ mail }) => {
      mail.replies.set(verb, reply);
    },
    end: ({ mail }) => {
      mail.replies.delete(verb);
    },
  };
}

function clockSet(by: number): Pick<Fault, 'begin' | 'end'> {
  return {
    begin: async ({ conductor }) => {
      await conductor.order({ kind: 'set-clock', by });
    },
    end: async ({ conductor }) => {
      await conductor.order({ kind: 'set-clock', by: -by });
    },
  };
}
