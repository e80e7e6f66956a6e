import type { CauseId } from '../../src/checks/registry.ts';
import { API_FAULTS } from './faults-apis.ts';
import { PATH_FAULTS } from './faults-path.ts';
import type { World } from './world.ts';

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
  begin(world: World): Promise<void> | void;
  end(world: World): Promise<void> | void;
  /** Runs every few minutes while the fault lasts. */
  readonly during?: (world: World) => Promise<void>;
}

export const FAULTS: readonly Fault[] = [...PATH_FAULTS, ...API_FAULTS];

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
