import type { FaultId } from '../checks/registry.ts';
import type { Lab } from './lab/lab.ts';
import { LICENSE, LICENSE_HOST, SERIALS } from './lab/site.ts';

/** A fault and its repair. */
export interface Scenario {
  readonly name: string;
  /** Used as a heading. */
  readonly title: string;
  /** The administrator's mistake, and the correction, in sentences. */
  readonly fault: string;
  readonly repair: string;
  /** The cause that must be found. */
  readonly cause: FaultId;
  /** FortiAuthenticator notices the fault when it connects to the licence server. */
  readonly isNoticed: boolean;
  begin(lab: Lab): Promise<void> | void;
  end(lab: Lab): Promise<void> | void;
}

const INSPECTION: Scenario = {
  name: 'inspection',
  title: 'TLS is inspected',
  fault: "Deep inspection is switched on in FortiAuthenticator's firewall policy.",
  repair: 'The policy uses the profile "no-inspection" again.',
  cause: 'tls-intercepted',
  isNoticed: true,
  begin: (lab) => lab.inspect(true),
  end: (lab) => lab.inspect(false),
};

const DNS: Scenario = {
  name: 'dns',
  title: 'a DNS answer is forged',
  fault: `A DNS filter answers ${LICENSE_HOST} with its own address.`,
  repair: 'The filter no longer answers for this name.',
  cause: 'answer-hijacked',
  isNoticed: true,
  begin: ({ resolver }) => {
    resolver.setFault(LICENSE_HOST, { kind: 'answer', address: '0.0.0.0' });
  },
  end: ({ resolver }) => {
    resolver.setFault(LICENSE_HOST, { kind: 'none' });
  },
};

const LICENSE_ON_PEER: Scenario = {
  name: 'license',
  title: 'the licence is on the former HA peer',
  fault: `After a migration, licence ${LICENSE} is still registered to ${SERIALS.peer}, the former HA peer.`,
  repair: `Fortinet moves the licence to ${SERIALS.unit}.`,
  cause: 'license-on-peer',
  isNoticed: false,
  begin: (lab) => {
    lab.register(SERIALS.peer);
  },
  end: (lab) => {
    lab.register(SERIALS.unit);
  },
};

const LICENSE_ELSEWHERE: Scenario = {
  ...LICENSE_ON_PEER,
  name: 'license-elsewhere',
  title: 'the licence is on an unknown unit',
  fault: `Licence ${LICENSE} is registered to a unit that does not belong to this site.`,
  cause: 'license-on-other-unit',
  begin: (lab) => {
    lab.register('FAC-VM0000000099');
  },
};

const BLOCK_PAGE: Scenario = {
  name: 'block-page',
  title: 'a web filter blocks the licence server',
  fault: 'A web filter on the firewall answers for the licence server with a block page.',
  repair: 'The web filter is removed from the policy.',
  cause: 'tls-intercepted',
  isNoticed: true,
  begin: ({ firewall }) => firewall.setMode({ kind: 'block-page' }),
  end: ({ firewall }) => firewall.setMode({ kind: 'off' }),
};

const RESET: Scenario = {
  name: 'reset',
  title: 'intrusion prevention resets TLS',
  fault: 'An intrusion prevention profile resets every TLS session with the licence server.',
  repair: 'The profile is removed from the policy.',
  cause: 'tls-blocked',
  isNoticed: true,
  begin: ({ firewall }) => firewall.setMode({ kind: 'reset' }, LICENSE_HOST),
  end: ({ firewall }) => firewall.setMode({ kind: 'off' }),
};

const EGRESS: Scenario = {
  name: 'egress',
  title: 'the firewall refuses the connection',
  fault: 'A new firewall policy refuses TCP 443 to the licence server.',
  repair: 'The policy is moved below the one for FortiAuthenticator.',
  cause: 'egress-blocked',
  isNoticed: true,
  begin: async ({ firewall, firewallApi }) => {
    firewallApi.state.matches = 0;
    await firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
  },
  end: async ({ firewall, firewallApi }) => {
    firewallApi.state.matches = 5;
    await firewall.setMode({ kind: 'off' });
  },
};

const MAIL: Scenario = {
  name: 'mail',
  title: 'activation mails are rejected',
  fault: 'The mail server no longer knows the users that activation codes are for.',
  repair: 'The mail server knows the users again.',
  cause: 'mail-recipient-rejected',
  isNoticed: false,
  begin: ({ mail }) => {
    mail.setFault('refuse-recipient');
  },
  end: ({ mail }) => {
    mail.setFault('none');
  },
};

export const SCENARIOS: readonly Scenario[] = [
  INSPECTION,
  DNS,
  LICENSE_ON_PEER,
  LICENSE_ELSEWHERE,
  BLOCK_PAGE,
  RESET,
  EGRESS,
  MAIL,
];

/** Played by default. */
export const TIMELINE: readonly Scenario[] = [INSPECTION, DNS, LICENSE_ON_PEER];
