import { mail as section, type MailServerConfig, type MailServer } from '../config/schema/mail.ts';
import type { Millis } from '../core/clock.ts';
import { authority } from '../core/addresses.ts';
import { isOfThisMachine, type MailObservation } from '../core/observation.ts';
import { type PathFacts, type PathObservation, sampleOf } from '../core/round.ts';
import { unlessAborted } from '../network/context.ts';
import type { RoundSource } from '../connectors/source.ts';
import { type Resolving, observeMailServer, type MailTools, type MailDeferrals } from './mail.ts';
import {
  observeRecipientServer,
  type RecipientTools,
  recipientDomains,
  type Recipients,
  type RecipientLooks,
} from './recipient-servers.ts';

/** Lets a look end before a slow server does. What it answers then is `aborted`. */
export type MailPace = (
  server: MailServer,
  rehearse: (signal: AbortSignal) => Promise<MailObservation>,
) => Promise<MailObservation>;

interface Sections {
  readonly mail: readonly MailServerConfig[];
}

interface Tools extends MailTools, RecipientTools {
  readonly recipientLooks: RecipientLooks;
  readonly deferrals: MailDeferrals;
  /** Those of the configuration, else those that FortiAuthenticator names, which may have to be asked for first. */
  readonly mailServers: Promise<readonly MailServer[]>;
  /** Without, a look waits for each server until it is finished. */
  readonly mailPace?: MailPace;
  /** How long an activation code lives at the unit where it lives shortest; null: no unit has told. */
  readonly codeLife: Promise<Millis | null>;
}

interface Others {
  readonly path: Pick<PathFacts, 'licenseServer'>;
}

/** No code lives shorter: the appliance, which is slow to tell how long, need not be waited for. */
const SHORTEST_LIFE: Millis = 3_600_000;

/** The mail servers that FortiAuthenticator sends activation codes through. */
export const mail: RoundSource<
  'mail',
  Sections,
  readonly MailObservation[],
  Tools,
  Sections & Resolving & Recipients,
  Others
> = {
  id: 'mail',
  runs: 'round',
  sections: {
    mail: section.describe('The mail servers that FortiAuthenticator sends activation codes through.'),
  },
  targets: (settings) => settings.mail.map((server) => ({ probe: 'mail', target: authority(server) })),
  observe: async (settings, look) => {
    const { signal } = look.ctx;
    // An appliance that is slow to answer must not hold the round up.
    const servers = await unlessAborted(look.mailServers, signal).catch((error: unknown) => {
      if (signal.aborted) return [];
      throw error;
    });
    return look.each(servers, async (server) => {
      const rehearse = (own: AbortSignal): Promise<MailObservation> =>
        observeMailServer(server, settings, look, { ...look.ctx, signal: own });
      const seen = await (look.mailPace === undefined ? rehearse(signal) : look.mailPace(server, rehearse));
      const lasted = look.deferrals.note(seen.server, seen.outcome);
      if (lasted === null || lasted < SHORTEST_LIFE) return seen;
      const codeLife = await unlessAborted(look.codeLife, signal).catch(() => null);
      return { ...seen, deferral: { lasted, codeLife } };
    });
  },
  lookAgain: async (settings, look, { own, others }) => {
    if (own.length === 0 || !own.every(isBroken)) return own;
    if (!isNobodyAnswering(others.path.licenseServer) && look.recipientLooks.isDue()) {
      const looks = recipientDomains(settings).map((domain) =>
        observeRecipientServer(domain, settings, look, look.ctx),
      );
      look.recipientLooks.keep(await Promise.all(looks));
    }
    return own.map((seen) => ({ ...seen, recipientServers: look.recipientLooks.last() }));
  },
  runsIn: (seen) => ({ paths: [], samples: seen.map(({ server, outcome }) => sampleOf('mail', server, outcome)) }),
};

/** No resolver answers: it would not tell the mail servers of recipients either. */
function isNobodyAnswering({ names }: PathObservation): boolean {
  return names.length > 0 && names.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
}

/** For FortiAuthenticator as well: who refuses sender or recipient may mean this machine, or only for now. */
function isBroken({ outcome }: MailObservation): boolean {
  if (outcome.kind !== 'failed' || isOfThisMachine(outcome.reason)) return false;
  return outcome.reason !== 'rejected' || (outcome.stage !== 'sender' && outcome.stage !== 'recipient');
}
