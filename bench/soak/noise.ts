import { LICENSE_HOST } from './site.ts';
import type { World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** An everyday event that is not a fault, so nobody may be notified. */
export interface Noise {
  readonly name: string;
  /** `round`: it begins with a round of the probes; `poll`: with a query to the appliance. */
  readonly begins: 'round' | 'poll' | 'any';
  /** Duration. */
  readonly lasts: number;
  /** It can also happen during a fault. */
  readonly isHarmless: boolean;
  begin(world: World): Promise<void> | void;
  readonly end?: (world: World) => Promise<void> | void;
}

type Acts = Pick<Noise, 'begin'> & Partial<Noise>;

function blip(name: string, seconds: number, acts: Acts): Noise {
  return { name, begins: 'round', lasts: seconds * SECOND, isHarmless: false, ...acts };
}

/** The clock is corrected gradually, as NTP does after a step. */
function clockStep(name: string, seconds: number): Noise {
  return blip(name, 40 * 60, {
    begins: 'any',
    begin: async ({ conductor }) => {
      await conductor.order({ kind: 'set-clock', by: seconds * SECOND });
    },
    end: async ({ conductor }) => {
      await conductor.order({ kind: 'set-clock', by: -seconds * SECOND });
    },
  });
}

/** In FortiAuthenticator's wording. The user name is chosen by an unknown sender. */
const UNRELATED: readonly string[] = [
  'Remote user "FTM polling error: connection timeout" failed to log in with invalid password',
  'Local administrator authentication from 10.0.0.77 with no token failed: user not found',
  'FortiToken Mobile push notification sent to device',
  'RADIUS authentication for user anna failed: SSL session failed for nobody',
];

export const NOISE: readonly Noise[] = [
  blip('a lost question to a resolver', 1, {
    begin: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.lost += 1;
    },
  }),
  blip('three lost questions to one resolver', 1, {
    begin: ({ resolvers: [first] }) => {
      if (first !== undefined) first.lost += 3;
    },
  }),
  blip('a slow resolver', 90, {
    isHarmless: true,
    begin: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.delay = 900;
    },
    end: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.delay = 0;
    },
  }),
  blip('a resolver that restarts', 20, {
    begin: async ({ resolvers: [first] }) => first?.close(),
    end: async ({ resolvers: [first] }) => first?.open(),
  }),
  blip('both resolvers restart together', 2, {
    begin: async ({ resolvers }) => {
      for (const resolver of resolvers) await resolver.close();
    },
    end: async ({ resolvers }) => {
      for (const resolver of resolvers) await resolver.open();
    },
  }),
  blip('SERVFAIL for a moment', 2, {
    begin: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.lies.set(LICENSE_HOST, { kind: 'server-failure' });
    },
    end: ({ resolvers }) => {
      for (const resolver of resolvers) resolver.lies.delete(LICENSE_HOST);
    },
  }),
  blip('a slow licence server', 4 * 60, {
    isHarmless: true,
    begin: ({ license }) => {
      license.manners.delay = 2_500;
    },
    end: ({ license }) => {
      license.manners.delay = 0;
    },
  }),
  blip('a slow mail server', 4 * 60, {
    begin: ({ mail }) => {
      mail.delay = 6_000;
    },
    end: ({ mail }) => {
      mail.delay = 0;
    },
  }),
  blip('a licence server that is busy for a moment', 2, {
    begin: ({ license }) => {
      license.manners.status = 503;
    },
    end: ({ license }) => {
      license.manners.status = 404;
    },
  }),
  blip('a connection that is reset', 1, {
    begin: ({ license }) => license.set({ kind: 'reset' }),
    end: ({ license }) => license.set({ kind: 'open' }),
  }),
  blip('a firewall that takes its policies again', 2, {
    begin: async ({ license, push, controls }) => {
      for (const gate of [license, push, ...controls]) await gate.set({ kind: 'refused' });
    },
    end: async ({ license, push, controls }) => {
      for (const gate of [license, push, ...controls]) await gate.set({ kind: 'open' });
    },
  }),
  blip('a certificate renewed with its key', 5 * 60 * 60, {
    begins: 'any',
    begin: ({ license, certificates: { renewed } }) => {
      license.show(() => renewed);
    },
    end: ({ license, certificates: { genuine } }) => {
      license.show(() => genuine);
    },
  }),
  blip('greylisting', 2, {
    begin: ({ mail }) => {
      mail.replies.set('RCPT', '451 4.7.1 greylisted, come back later');
    },
    end: ({ mail }) => {
      mail.replies.delete('RCPT');
    },
  }),
  blip('a mail server that restarts', 2, { begin: ({ mail }) => mail.close(), end: ({ mail }) => mail.open() }),
  clockStep('the clock is 12 s behind', -12),
  clockStep('the clock is 20 s ahead', 20),
  blip('FortiAuthenticator reboots', 5 * 60, {
    begins: 'poll',
    begin: (world) => {
      world.appliance.setFault({ kind: 'reset' });
      world.speaking = false;
    },
    end: async (world) => {
      world.appliance.setFault({ kind: 'none' });
      world.speaking = true;
      await world.log.say('System started');
    },
  }),
  blip('the registration service is overloaded', 2 * 60, {
    begins: 'poll',
    begin: ({ registration }) => {
      registration.setFault({ kind: 'status', status: 503 });
    },
    end: ({ registration }) => {
      registration.setFault({ kind: 'none' });
    },
  }),
  blip('access tokens are revoked', 1, {
    begins: 'any',
    begin: ({ registration }) => {
      registration.tokens.clear();
    },
  }),
  blip('the firewall is being updated', 11 * 60, {
    begins: 'poll',
    begin: ({ firewall }) => {
      firewall.setFault({ kind: 'status', status: 503 });
    },
    end: ({ firewall }) => {
      firewall.setFault({ kind: 'none' });
    },
  }),
  blip('no log line for four hours', 4 * 60 * 60, {
    begins: 'any',
    begin: (world) => {
      world.speaking = false;
    },
    end: (world) => {
      world.speaking = true;
    },
  }),
  {
    name: 'lines of strangers, and each of them three times',
    begins: 'any',
    lasts: MINUTE,
    isHarmless: true,
    begin: async ({ log, speaking }) => {
      if (!speaking) return;
      for (const line of UNRELATED)
        for (const again of [1, 2, 3]) await log.say(`${line} (${String(again > 0)})`, 'error');
    },
  },
  { name: 'the log is rotated', begins: 'any', lasts: MINUTE, isHarmless: true, begin: ({ log }) => log.rotate() },
  { name: 'the log is copied and cut', begins: 'any', lasts: MINUTE, isHarmless: true, begin: ({ log }) => log.cut() },
  {
    name: 'ftm-watch restarts',
    begins: 'any',
    lasts: MINUTE,
    isHarmless: true,
    begin: async ({ conductor }) => {
      await conductor.order({ kind: 'restart' });
    },
  },
  {
    name: 'ftm-watch reloads its configuration',
    begins: 'any',
    lasts: MINUTE,
    isHarmless: true,
    begin: async ({ conductor }) => {
      await conductor.order({ kind: 'reload' });
    },
  },
  // Shorter than the time after which ftm-watch reports that it cannot deliver its notifications.
  blip('the mail server of the administrators is away', 12 * 60, {
    begins: 'any',
    isHarmless: true,
    begin: ({ inbox }) => inbox.close(),
    end: ({ inbox }) => inbox.open(),
  }),
];
