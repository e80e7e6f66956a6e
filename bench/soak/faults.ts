import type { CauseId } from '../../src/checks/registry.ts';
import { API_FAULTS } from './faults-apis.ts';
import { PATH_FAULTS } from './faults-path.ts';
import type { World } from './world.ts';

/** What finds it, and so how soon: the rounds, the questions to an interface, or the log. */
export type Finder = 'rounds' | 'appliance' | 'registration' | 'log' | 'silence';

/** Something that can go wrong at the site, and its repair. */
export interface Fault {
  readonly name: string;
  /** What must be found. */
  readonly cause: CauseId;
  /** What may be told before it is understood: the same incident becomes the cause then. */
  readonly before?: CauseId;
  readonly finder: Finder;
  /** false: worth knowing, and nobody is woken for it. */
  readonly isTold: boolean;
  /** It spoils some of the connections and others not. */
  readonly isShare?: true;
  /** FortiAuthenticator notices it and complains in its log. */
  readonly isNoticed: boolean;
  begin(world: World): Promise<void> | void;
  end(world: World): Promise<void> | void;
  /** What happens every few minutes while it lasts. */
  readonly during?: (world: World) => Promise<void>;
}

export const FAULTS: readonly Fault[] = [...PATH_FAULTS, ...API_FAULTS];

export function faultNamed(name: string): Fault {
  const fault = FAULTS.find((candidate) => candidate.name === name);
  if (fault === undefined) throw new RangeError(`No fault is named "${name}"`);
  return fault;
}

/** Two that do not hide each other: both must be found. */
export const PAIRS: readonly (readonly [string, string])[] = [
  ['mail-tls-broken', 'answer-hijacked'],
  ['mail-unreachable', 'answer-hijacked'],
  ['appliance-unreadable', 'egress-blocked'],
  ['license-on-peer', 'tls-intercepted'],
  ['tokens-exhausted', 'mail-login-rejected'],
  ['policy-missing', 'mail-recipient-rejected'],
  ['appliance-access-denied', 'certificate-broken'],
];
