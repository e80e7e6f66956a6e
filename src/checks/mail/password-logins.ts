import type { MailServerConfig } from '../../config/schema/watched.ts';
import type { UnitObservation } from '../../connectors/picture.ts';
import { authority, hostOf, plainName } from '../../core/addresses.ts';
import type { EpochMs } from '../../core/clock.ts';
import { type MailObservation, type MailOutcome, valueOf } from '../../core/observation.ts';
import { nameList } from '../../core/visible-text.ts';
import { type Finding, note, warning } from '../../engine/model.ts';

type LoginFinding = Finding<'mail-login-retiring'>;

/** Kind of a finding about a login that is rejected because it uses a password. */
export const PASSWORDS_DISABLED = 'passwords-disabled';

const RULE = 'mail-login-lasts';

/**
 * At the end of December 2026, Exchange Online disables SMTP logins with a password by default. Administrators can
 * enable them again (Microsoft message MC786329).
 */
const DISABLED_FROM: EpochMs = Date.UTC(2027, 0, 1);

/** Judges the logins in `mail`. After the date, a login that still succeeds is only a note. */
export function judgeOwnLogins(
  configured: readonly MailServerConfig[],
  seen: readonly MailObservation[],
  now: EpochMs,
): readonly LoginFinding[] {
  return configured
    .filter(({ host, user }) => user !== null && isClientSubmission(host))
    .map((server) => {
      const observed = seen.find((one) => one.server === authority(server));
      const lasts = now >= DISABLED_FROM && observed !== undefined && hasLoggedIn(observed.outcome);
      return lasts ? note(told(server.host, STILL_ACCEPTED)) : retiring(server.host, 'ftm-watch');
    });
}

/** The appliances' servers are judged even if `mail` contains others, because the appliances send the codes. */
export function judgeApplianceLogins(units: readonly UnitObservation[]): readonly LoginFinding[] {
  const logins = units.flatMap(({ config, rest }) =>
    (rest?.kind === 'ok' ? (valueOf(rest.mailServers) ?? []) : [])
      .filter(({ host, hasLogin }) => hasLogin && isClientSubmission(host))
      .map(({ host }) => ({ host: plainName(host), name: config.name })),
  );
  return [...Map.groupBy(logins, ({ host }) => host)].map(([host, alike]) =>
    retiring(host, nameList([...new Set(alike.map(({ name }) => name))])),
  );
}

/** Leaves out the servers for which the result of a login is already known. */
export function withoutKnown(logins: readonly LoginFinding[], known: readonly Finding[]): readonly LoginFinding[] {
  const results = known.filter((one) => one.kind === PASSWORDS_DISABLED || (one.rule === RULE && one.level === 'note'));
  const hosts = results.map(({ subject }) => plainName(hostOf(subject)));
  return logins.filter(({ subject }) => !hosts.includes(subject));
}

/** Microsoft's announcement contains the first two names. Servers for high volumes (smtp-hve) are not affected. */
const CLIENT_SUBMISSION = /^smtp(?:-legacy)?\.office365\.com$|\.outlook\.office365\.com$/u;

function isClientSubmission(host: string): boolean {
  return CLIENT_SUBMISSION.test(plainName(host));
}

function hasLoggedIn(outcome: MailOutcome): boolean {
  return outcome.kind === 'accepted' || outcome.stage === 'sender' || outcome.stage === 'recipient';
}

const STILL_ACCEPTED = 'Exchange Online still accepts the password login.';

function retiring(host: string, who: string): LoginFinding {
  const claim = `Exchange Online disables the password login of ${who} by default at the end of December 2026.`;
  return warning('mail-login-retiring', told(host, claim));
}

/** The subject has no port, because the fault differs from those of the server, and ends independently of them. */
function told(host: string, claim: string): Parameters<typeof note>[0] {
  return {
    rule: RULE,
    subject: plainName(host),
    claim,
    expected: 'a mail server that accepts the login in the long term',
    explainedBy: [],
  };
}
