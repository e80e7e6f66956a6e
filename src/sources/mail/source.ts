import { mail as section, type MailServerConfig } from './section.ts';
import { authority } from '../../core/authority.ts';
import type { MailObservation } from '../../core/observation.ts';
import { sampleOf } from '../../core/round.ts';
import { unlessAborted } from '../../network/unless-aborted.ts';
import type { RoundSource } from '../source.ts';
import { observeMailServer, type MailTools, type Resolving } from './observe-mail-server.ts';

interface Sections {
  readonly mail: readonly MailServerConfig[];
}

interface Tools extends MailTools {
  /** Those of the configuration, else those that FortiAuthenticator names, which may have to be asked for first. */
  readonly mailServers: Promise<readonly MailServerConfig[]>;
}

/** The mail servers that FortiAuthenticator sends activation codes through. */
export const mail: RoundSource<'mail', Sections, readonly MailObservation[], Tools, Sections & Resolving> = {
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
    return look.each(servers, (server) => observeMailServer(server, settings, look, look.ctx));
  },
  runsIn: (seen) => ({ paths: [], samples: seen.map(({ server, outcome }) => sampleOf('mail', server, outcome)) }),
};
