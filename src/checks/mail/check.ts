import type { Assessment } from '../../engine/assessment.ts';
import { breaksOnly } from '../../engine/explanation.ts';
import type { MailObservation } from '../../core/observation.ts';
import { nameList } from '../../core/name-list.ts';
import type { Declaration } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { SlowFactsBySource } from '../../sources/registry.ts';
import { MAIL_CAUSES, type MailCause } from './causes.ts';
import { judgeMailServers } from './judge-servers.ts';
import { mailViewOf } from './mail-view.ts';

/** No answer at all, as a dead uplink makes of it; an answer that refuses is a fault of its own. */
const SILENT: readonly string[] = ['mail-server-resolves', 'mail-server-answers', 'mail-session-goes-on'];
/** At an address that was found, silence is no fault of the resolvers, whatever they say of other names. */
const NAMELESS: readonly string[] = ['mail-server-resolves'];

export const mail: Declaration<'mail', MailCause> = {
  id: 'mail',
  title: 'Mail',
  dependsOn: [],
  explainedBy: [
    { by: 'internet', when: breaksOnly(SILENT), evidence: false },
    { by: 'name-resolution', when: breaksOnly(NAMELESS), evidence: false },
  ],
  causes: MAIL_CAUSES,
  unknownRemedy: 'Let this machine speak to the servers in "mail", from the same network as FortiAuthenticator.',
  place: { kind: 'branch', name: 'Mail', hint: 'carries codes to users' },
  step: 'code',
  withUnits: withUntoldServers,
  from: 'round',
  judge: ({ config, round: { mail: servers } }) => {
    if (servers.length === 0) return notConfigured('No mail server is configured');
    return judged(
      judgeMailServers(servers, mailViewOf(config)),
      `${nameList(servers.map(({ server }) => server))} ${servers.every(isAccepting) ? 'accepts a message' : 'answers'}`,
    );
  },
};

function isAccepting({ outcome }: MailObservation): boolean {
  return outcome.kind === 'accepted';
}

/** Where mail servers are not configured, the appliances tell theirs. One that cannot be read may have some. */
function withUntoldServers(own: Assessment, { appliances: units }: SlowFactsBySource): Assessment {
  const unread = units.filter(({ rest }) => rest !== null && rest.kind !== 'ok').map(({ config }) => config.name);
  if (own.kind !== 'not-configured' || unread.length === 0) return own;
  return { id: own.id, ...unjudged(`The mail servers of ${nameList(unread)} are not known: its API cannot be read`) };
}
