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
  replying,
  showing,
  SILENT,
  together,
} from './breakage.ts';
import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { POLLING_ERROR, type World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** An everyday event that is not a fault, so nobody may be notified. */
export interface Noise {
  readonly name: string;
  /** `round`: it begins with a round of the probes; `poll`: with a query to the appliance. */
  readonly begins: 'round' | 'poll' | 'any';
  /** Duration in ms. */
  readonly lasts: number;
  /** It can also happen during a fault. */
  readonly isHarmless: boolean;
  readonly begin: Breakage;
}

function noise(name: string, begins: Noise['begins'], seconds: number, begin: Breakage): Noise {
  return { name, begins, lasts: seconds * SECOND, isHarmless: false, begin };
}

function harmless(name: string, begins: Noise['begins'], seconds: number, begin: Breakage): Noise {
  return { ...noise(name, begins, seconds, begin), isHarmless: true };
}

/** In FortiAuthenticator's wording. The user name is chosen by an unknown sender. */
const UNRELATED: readonly string[] = [
  `Remote user "${POLLING_ERROR}: connection timeout" failed to log in with invalid password`,
  'Local administrator authentication from 10.0.0.77 with no token failed: user not found',
  'FortiToken Mobile push notification sent to device',
  'RADIUS authentication for user anna rejected: SSL session failed for nobody',
];

async function sayUnrelated({ log, speaking }: World): Promise<void> {
  if (!speaking) return;
  for (const line of UNRELATED) for (let again = 0; again < 3; again += 1) await log.say(`${line} (true)`, 'error');
}

export const NOISE: readonly Noise[] = [
  noise(
    'a lost question to a resolver',
    'round',
    1,
    passing(({ resolvers }) => {
      for (const resolver of resolvers) resolver.lost += 1;
    }),
  ),
  noise(
    'three lost questions to one resolver',
    'round',
    1,
    passing(({ resolvers: [first] }) => {
      first.lost += 3;
    }),
  ),
  harmless('a slow resolver', 'round', 90, ({ resolvers }) => {
    for (const resolver of resolvers) resolver.delay = 900;
    return () => {
      for (const resolver of resolvers) resolver.delay = 0;
    };
  }),
  noise(
    'a resolver that restarts',
    'round',
    20,
    closed(({ resolvers: [first] }) => [first]),
  ),
  noise(
    'both resolvers restart together',
    'round',
    2,
    closed(({ resolvers }) => resolvers),
  ),
  noise('SERVFAIL for a moment', 'round', 2, lied(LICENSE_HOST, 'server-failure')),
  harmless('a slow licence server', 'round', 4 * MINUTE, put('license', 'delay', 2_500)),
  noise('a slow mail server', 'round', 4 * MINUTE, put('mail', 'delay', 6_000)),
  noise('a licence server that is busy for a moment', 'round', 2, put('license', 'status', 503)),
  noise('one reset connection', 'round', 1, onTheWay('reset', LICENSE_GATE)),
  noise('a firewall that takes its policies again', 'round', 2, onTheWay('refused', ALL_GATES)),
  noise(
    'a certificate renewed with its key',
    'any',
    5 * HOUR,
    showing(({ certificates }) => certificates.renewed),
  ),
  noise('greylisting', 'round', 2, replying('RCPT', '451 4.7.1 greylisted, come back later')),
  noise(
    'the mail server restarts',
    'round',
    2,
    closed(({ mail }) => [mail]),
  ),
  // The clock is corrected gradually, as NTP does after a step.
  noise('the clock is 12 s behind', 'any', 40 * MINUTE, clockSet(-12 * SECOND)),
  noise('the clock is 20 s ahead', 'any', 40 * MINUTE, clockSet(20 * SECOND)),
  noise(
    'FortiAuthenticator reboots',
    'poll',
    5 * MINUTE,
    together(
      ({ log }) =>
        () =>
          log.say('System started'),
      failing('appliance'),
      SILENT,
    ),
  ),
  noise('an overloaded registration service', 'poll', 2 * MINUTE, failing('registration', 503)),
  noise(
    'access tokens are revoked',
    'any',
    1,
    passing(({ registration }) => registration.tokens.clear()),
  ),
  noise('the firewall is being updated', 'poll', 11 * MINUTE, failing('firewall', 503)),
  noise('no log line for four hours', 'any', 4 * HOUR, SILENT),
  harmless('lines of strangers, and each of them three times', 'any', MINUTE, passing(sayUnrelated)),
  harmless(
    'the log is rotated',
    'any',
    MINUTE,
    passing(({ log }) => log.rotate()),
  ),
  harmless(
    'the log is copied and cut',
    'any',
    MINUTE,
    passing(({ log }) => log.cut()),
  ),
  harmless(
    'ftm-watch restarts',
    'any',
    MINUTE,
    passing(async ({ conductor }) => {
      await conductor.order({ kind: 'restart' });
    }),
  ),
  harmless(
    'ftm-watch reloads its configuration',
    'any',
    MINUTE,
    passing(async ({ conductor }) => {
      await conductor.order({ kind: 'reload' });
    }),
  ),
  // Shorter than the time after which ftm-watch reports that it cannot deliver its notifications.
  harmless(
    'the mail server of the administrators is away',
    'any',
    12 * MINUTE,
    closed(({ inbox }) => [inbox]),
  ),
];
