import type { AgentHealth, ChannelHealth, LogHealth, OwnCertificate } from '../../core/agent.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText, zonedText } from '../../core/time-text.ts';
import { counted } from '../../core/visible-text.ts';
import { type Finding, note, warning } from '../../engine/model.ts';
import type { Declaration } from '../check.ts';
import { judged, notConfigured } from '../judgement.ts';
import { AGENT_CAUSES } from './causes.ts';

type AgentCause = keyof typeof AGENT_CAUSES;
type Trouble = Finding<AgentCause>;

export const agent: Declaration<'agent', AgentCause> = {
  id: 'agent',
  title: 'ftm-watch itself',
  dependsOn: [],
  countsForReady: false,
  causes: AGENT_CAUSES,
  unknownRemedy: 'Start ftm-watch.',
  place: { kind: 'agent' },
  step: null,
  sources: ['agent'],
  judge: ({ agent: health }) =>
    health === null
      ? notConfigured('Not checked, because no daemon is running with this store')
      : judged(judgeAgent(health), 'ftm-watch works without restrictions'),
};

/**
 * The subjects contain the host, because several agents can monitor a site. The claims contain no names, because
 * everyone who can reach the readiness endpoint can read them.
 */
export function judgeAgent(health: AgentHealth): readonly Finding[] {
  const { advice, certificates, channels, host, log } = health;
  return [
    judgeStore(health),
    ...certificates.map((certificate) => judgeCertificate(certificate, health)),
    ...judgeLog(log, host),
    ...channels.map((channel) => judgeChannel(channel, health)),
    judgeReload(health),
    ...advice.map((claim) =>
      note({ rule: 'page-is-protected', subject: host, claim, expected: 'A status page that is protected' }),
    ),
  ].filter((finding) => finding !== null);
}

function judgeStore({ store: { failure, isNewer }, host }: AgentHealth): Trouble | null {
  if (failure === null) return null;
  return warning('store-not-writable', {
    rule: 'store-is-writable',
    subject: `store of ${host}`,
    claim: isNewer ? 'The history was written by a newer version of ftm-watch.' : 'The history cannot be written.',
    expected: 'A store that can be written',
    quote: failure,
    ...(isNewer ? { kind: 'newer' } : {}),
  });
}

const EXPIRES_SOON: Millis = 14 * 86_400_000;

/** Returns null if the certificate is valid for more than two weeks. */
export function certificateClaim({ owner, end }: OwnCertificate, at: EpochMs, timezone: string): string | null {
  if (end - at > EXPIRES_SOON) return null;
  const expires = end < at ? 'expired' : 'expires';
  return `The ${owner}'s certificate ${expires} at ${zonedText(end, timezone)} and must be renewed.`;
}

function judgeCertificate(certificate: OwnCertificate, { host, at, timezone }: AgentHealth): Trouble | null {
  const { owner, end } = certificate;
  const claim = certificateClaim(certificate, at, timezone);
  if (claim === null) return null;
  return warning('own-certificate-expires', {
    rule: 'own-certificate-is-valid',
    subject: `certificate of the ${owner} on ${host}`,
    claim,
    expected: `A certificate that is valid for more than ${spanText(EXPIRES_SOON)}`,
    kind: owner === 'status page' ? 'page' : 'listener',
    facts: { date: zonedText(end, timezone) },
  });
}

function judgeLog(log: LogHealth, host: string): readonly (Trouble | null)[] {
  return [
    ...log.lostListeners.map(({ name, failure }) =>
      warning('listener-lost', {
        rule: 'listener-is-open',
        subject: `${name} listener of ${host}`,
        claim: `Log lines cannot be received over ${name}.`,
        expected: 'An open listener',
        quote: failure,
      }),
    ),
    lostLines(log, host),
    ...log.refusedSenders.map(({ address, failure }) =>
      warning('log-sender-refused', {
        rule: 'log-sender-is-accepted',
        subject: `log from ${address} to ${host}`,
        claim: 'The TLS handshake with the sender of a log fails.',
        expected: 'A connection over which lines arrive',
        actual: `The sender ${failure}`,
        facts: { failing: failure },
      }),
    ),
  ];
}

function lostLines({ lostLines: lost, window }: LogHealth, host: string): Trouble | null {
  if (lost === 0) return null;
  const were = lost === 1 ? 'was' : 'were';
  return warning('log-lines-lost', {
    rule: 'no-log-lines-lost',
    subject: `log at ${host}`,
    claim: `At least ${counted(lost, 'log line')} ${were} lost in the last ${spanText(window)}.`,
    expected: 'No lost lines',
  });
}

/** Long enough for mail servers that delay mail from unknown senders (greylisting). */
const STUCK_AFTER: Millis = 15 * 60_000;

function judgeChannel({ name, failingSince, unreached }: ChannelHealth, { at, host }: AgentHealth): Trouble | null {
  const isStuck = failingSince !== null && at - failingSince >= STUCK_AFTER;
  if (!isStuck && unreached === 0) return null;
  return warning('notifications-stuck', {
    rule: 'notifications-are-delivered',
    subject: `notifications by ${name} from ${host}`,
    claim: isStuck ? stuckClaim(name, at - failingSince) : unreachedClaim(name, unreached),
    expected: 'Every notification is delivered',
  });
}

function stuckClaim(name: string, time: Millis): string {
  return `Notifications by ${name} have not been delivered for ${spanText(time)}.`;
}

function unreachedClaim(name: string, unreached: number): string {
  return `Notifications by ${name} were rejected or abandoned for ${counted(unreached, 'recipient')}.`;
}

function judgeReload({ rejectedReload, host }: AgentHealth): Trouble | null {
  if (rejectedReload === null) return null;
  return warning('reload-rejected', {
    rule: 'configuration-is-accepted',
    subject: `configuration of ${host}`,
    claim: 'The last reload was rejected, so the previous configuration is still active.',
    expected: 'A configuration that can be loaded',
    quote: rejectedReload.join('; '),
  });
}
