import type { CauseId } from '../../src/checks/registry.ts';
import { PLAIN_POLICY } from '../../src/demo/lab/firewall.ts';
import {
  ALL_GATES,
  type Breakage,
  clockSet,
  closed,
  failing,
  LICENSE_GATE,
  lied,
  onTheWay,
  passing,
  put,
  putState,
  replying,
  showing,
  SILENT,
  together,
  dropped,
} from './breakage.ts';
import { LICENSE, LICENSE_HOST, SERIALS } from '../../src/demo/lab/site.ts';
import {
  APPLIANCE_ADDRESS,
  CONTROL_ADDRESS,
  FILTER_ADDRESS,
  LICENSE_ADDRESSES,
  MOVED_ADDRESS,
  OTHER_SERIAL,
  PUSH_ADDRESSES,
  PUSH_HOST,
} from './site.ts';
import { POLLING_ERROR, registered, type World } from './world.ts';

/** The source that finds the fault, which determines the delay: rounds, API queries, or the log. */
export type Finder = 'rounds' | 'appliance' | 'registration' | 'log' | 'silence';

/** A possible fault at the site, and its repair. */
export interface Fault {
  readonly name: string;
  /** The cause that must be found. */
  readonly cause: CauseId;
  /** The cause that may be reported first. The same incident then changes to `cause`. */
  readonly before?: CauseId;
  readonly finder: Finder;
  /** false: recorded, but no notification is sent. */
  readonly isTold: boolean;
  /** Only some of the connections are affected. */
  readonly isShare?: true;
  /** FortiAuthenticator notices it and logs errors. */
  readonly isNoticed: boolean;
  readonly begin: Breakage;
  /** Runs every few minutes while the fault lasts. */
  readonly during?: (world: World) => Promise<void>;
}

function found(finder: Finder, cause: CauseId, begin: Breakage, more: Partial<Fault> = {}): Fault {
  return { name: cause, cause, finder, isTold: true, isNoticed: false, begin, ...more };
}

/** Found by rounds, and noticed by FortiAuthenticator. */
function felt(name: string, cause: CauseId, begin: Breakage, more: Partial<Fault> = {}): Fault {
  return found('rounds', cause, begin, { name, isNoticed: true, ...more });
}

const PAGE =
  '<html><head><title>Web Page Blocked</title></head><body><h1>FortiGuard - Web Page Blocked</h1></body></html>';
const INTERNET = [...LICENSE_ADDRESSES, MOVED_ADDRESS, ...PUSH_ADDRESSES, CONTROL_ADDRESS];
const COMPLAINT = `${POLLING_ERROR}: unexpected answer (500)`;
const UNMATCHED: Breakage = putState('firewall', 'matches', 0);
const UNREADABLE: Breakage = failing('appliance');
/** Everything under one authority, as a firewall policy with deep inspection does. */
const INSPECTED: Breakage = showing(({ certificates }, name) => certificates.inspected(name), ALL_GATES);

function tokens(available: number, total = 32): Breakage {
  return putState('appliance', 'tokens', [
    ...(available === 0 ? [] : [{ count: available, status: 'available', license: LICENSE }]),
    { count: total - available, status: 'assigned', license: LICENSE },
  ]);
}

function holder(serial: string | null): Breakage {
  return putState('registration', 'licenses', registered(serial));
}

const admit = ({ log }: World): Promise<void> => log.admitInspection();
const complain = ({ log }: World): Promise<void> => log.say(COMPLAINT, 'error');
const complainInFile = ({ log }: World): Promise<void> => log.write(COMPLAINT, 'error');

export const FAULTS: readonly Fault[] = [
  felt('internet-unreachable', 'internet-unreachable', dropped(INTERNET)),
  felt('resolvers-silent', 'resolver-unreachable', lied('', 'silent')),
  felt('resolvers-fail', 'resolver-unreachable', lied('', 'server-failure')),
  felt('name-not-found', 'name-not-found', lied(LICENSE_HOST, 'not-found')),
  felt('answer-hijacked', 'answer-hijacked', lied(LICENSE_HOST, [FILTER_ADDRESS])),
  found('rounds', 'answer-unexpected', lied(LICENSE_HOST, [MOVED_ADDRESS])),
  found('rounds', 'resolvers-disagree', ({ resolvers }) => {
    for (const [index, { lies }] of resolvers.entries()) lies.set(PUSH_HOST, PUSH_ADDRESSES.slice(index, index + 1));
    return () => {
      for (const { lies } of resolvers) lies.delete(PUSH_HOST);
    };
  }),
  felt('egress-blocked', 'egress-blocked', together(UNMATCHED, onTheWay('refused', LICENSE_GATE))),
  felt('license-server-gone', 'license-server-down', onTheWay('refused', LICENSE_GATE)),
  found(
    'rounds',
    'egress-partly-blocked',
    together(lied(LICENSE_HOST, LICENSE_ADDRESSES), onTheWay('refused', LICENSE_GATE, LICENSE_ADDRESSES.slice(1))),
  ),
  felt('tls-intercepted', 'tls-intercepted', INSPECTED),
  felt('tls-intercepted-admitted', 'tls-intercepted', passing(admit), { during: admit }),
  felt(
    'tls-block-page',
    'tls-intercepted',
    together(INSPECTED, put('license', 'status', 403), put('license', 'page', PAGE)),
  ),
  felt(
    'tls-interception-suspected',
    'tls-interception-suspected',
    showing(({ certificates }) => certificates.strange),
  ),
  felt('tls-reset', 'tls-blocked', onTheWay('reset', LICENSE_GATE)),
  // FortiAuthenticator logs errors while the first rounds may still hit the good half.
  felt('tls-half-reset', 'tls-blocked', onTheWay('half-reset', LICENSE_GATE), {
    before: 'polling-failing',
    isShare: true,
  }),
  felt('tls-silent', 'tls-blocked', onTheWay('silent', LICENSE_GATE)),
  felt(
    'certificate-broken',
    'certificate-broken',
    showing(({ certificates }) => certificates.expired),
  ),
  found(
    'rounds',
    'vendor-ca-changed',
    showing(({ certificates }) => certificates.moved),
  ),
  found(
    'rounds',
    'certificate-rotated',
    showing(({ certificates }) => certificates.rotated),
    { isTold: false },
  ),
  felt('license-server-down', 'license-server-down', put('license', 'status', 503)),
  found(
    'rounds',
    'mail-unreachable',
    closed(({ mail }) => [mail]),
  ),
  found('rounds', 'mail-tls-broken', (world) => put('mail', 'identity', world.certificates.mailSelfSigned)(world)),
  found('rounds', 'mail-login-rejected', replying('AUTH', '535 5.7.8 authentication failed')),
  found('rounds', 'mail-recipient-rejected', replying('RCPT', '550 5.1.1 Recipient address rejected: User unknown')),
  found('rounds', 'clock-skewed', clockSet(10 * 60_000), { name: 'clock-ahead' }),
  found('rounds', 'clock-skewed', clockSet(-25 * 60_000), { name: 'clock-behind' }),
  // Neither its API nor its log can be seen.
  found('appliance', 'appliance-unreachable', together(dropped([APPLIANCE_ADDRESS]), SILENT)),
  found('appliance', 'appliance-unreadable', UNREADABLE),
  found('appliance', 'appliance-access-denied', putState('appliance', 'key', 'another-key')),
  found('registration', 'license-on-peer', holder(SERIALS.peer)),
  found('registration', 'license-on-other-unit', holder(OTHER_SERIAL)),
  found('registration', 'license-not-registered', holder(null)),
  found('appliance', 'token-count-mismatch', tokens(20, 24)),
  found('appliance', 'tokens-running-out', tokens(2)),
  found('appliance', 'tokens-exhausted', tokens(0)),
  found(
    'appliance',
    'policy-inspects-traffic',
    putState('firewall', 'policies', {
      5: { ...PLAIN_POLICY, 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' },
    }),
  ),
  found('appliance', 'policy-missing', UNMATCHED),
  found('log', 'polling-failing', passing(complain), { during: complain }),
  found(
    'log',
    'polling-failing',
    passing(async (world) => {
      await complainInFile(world);
      await world.log.rotate();
    }),
    { name: 'polling-failing-in-file', during: complainInFile },
  ),
  found('silence', 'appliance-silent', SILENT),
];

export function faultNamed(name: string): Fault {
  const fault = FAULTS.find((candidate) => candidate.name === name);
  if (fault === undefined) throw new RangeError(`No fault is named "${name}"`);
  return fault;
}

/** Pairs of faults that do not hide each other, so both must be found. */
export const PAIRS: readonly (readonly [string, string])[] = [
  ['mail-tls-broken', 'answer-hijacked'],
  ['mail-unreachable', 'answer-hijacked'],
  ['appliance-unreadable', 'egress-blocked'],
  ['license-on-peer', 'tls-intercepted'],
  ['tokens-exhausted', 'mail-login-rejected'],
  ['policy-missing', 'mail-recipient-rejected'],
  ['appliance-access-denied', 'certificate-broken'],
];
