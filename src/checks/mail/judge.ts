import { type Assessment, breaksOnly, type Finding, type FindingLevel, note, unknown } from '../../engine/model.ts';
import {
  type MailObservation,
  type FailureReason,
  isOfThisMachine,
  isOwnTrouble,
  type MailOutcome,
  type MailStage,
} from '../../core/observation.ts';
import { nameList } from '../../core/phrases.ts';
import type { Declaration, Everything } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import { MAIL_CAUSES, type MailCause } from './causes.ts';
import {
  GREYLISTED,
  ANSWERS,
  type Expectation,
  GOES_ON,
  RECIPIENT,
  REFUSED,
  RESOLVES,
  SENDER,
  TLS,
  isTemporary,
  refusalOf,
  type RefusingReply,
} from './expectations.ts';
import { withMore, withMoreSaid } from '../../engine/words.ts';
import { formatDistinguishedName, shortName } from '../../core/certificate.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import { addressInAny } from '../../core/addresses.ts';

type MailFailure = Extract<MailOutcome, { kind: 'failed' }>;

export function judgeMail(seen: MailObservation, view: MailView): readonly Finding<MailCause>[] {
  const { server, security, patience, outcome } = seen;
  if (outcome.kind === 'accepted') return outcome.slowestMs > patience ? [tooSlow(server, patience, outcome)] : [];
  const { suggests, confidence, ...expectation } = expectationOf(seen, outcome, view);
  const level = levelOf(outcome, expectation);
  const issuer = outcome.issuer === undefined ? null : shortName(outcome.issuer);
  const told = {
    ...expectation,
    ...claimOf(outcome, expectation, level),
    subject: server,
    quote: outcome.message,
    ...(outcome.issuer === undefined ? {} : { fullNames: [formatDistinguishedName(outcome.issuer)] }),
    facts: { security, ...(issuer === null ? {} : { issuer }) },
  };
  if (level === 'unknown') return [unknown(told)];
  // FortiAuthenticator's API does not return the configured login, so a mail server that requires one is not reported
  // as faulty.
  if (seen.isLoginUnknown === true && expectation.kind === 'login') return [note(told)];
  return [{ ...told, level, suggests, ...(confidence === undefined ? {} : { confidence }) }];
}

/** Mail is still delivered if the client waits long enough. For example, Postscreen delays every client by 6 s. */
function tooSlow(server: string, patience: Millis, { slowestMs }: { readonly slowestMs: Millis }): Finding<MailCause> {
  return {
    rule: 'mail-server-answers-in-time',
    subject: server,
    claim:
      `The mail server took ${spanText(slowestMs)} for one answer, but FortiAuthenticator only waits ` +
      `${spanText(patience)}.`,
    expected: `each answer within ${spanText(patience)}, which is the time that FortiAuthenticator waits`,
    level: 'warning',
    suggests: 'mail-slow',
  };
}

function expectationOf({ security }: MailObservation, outcome: MailFailure, view: MailView): Expectation {
  const { stage, reason, code } = outcome;
  if (reason === 'name-not-resolved') return RESOLVES;
  if (stage === 'connect') return ANSWERS;
  if (stage === 'tls') return refusesTlsForNow(outcome) ? REFUSED.unavailable : tlsOf(outcome);
  if (isOwnTrouble(reason)) return stage === 'greeting' || stage === 'ehlo' ? ANSWERS : OWN[stage];
  if (reason === 'rejected') return refusedOf({ stage, code: code ?? 0, text: outcome.message }, view);
  return stage === 'greeting' ? silent(outcome, security) : GOES_ON;
}

/** Used if a stage failed without a more specific reason. */
const OWN = { login: REFUSED.credentials, sender: SENDER, recipient: RECIPIENT } as const;

function refusedOf(reply: RefusingReply, { fromAppliance }: MailView): Expectation {
  const refusal = refusalOf(reply);
  const message = reply.stage === 'sender' ? SENDER : RECIPIENT;
  switch (refusal) {
    case 'greylisted':
      return { ...message, ...GREYLISTED };
    case 'policy':
      // The policy may apply only to this machine's address.
      return fromAppliance ? message : { ...message, confidence: 'suspected' };
    case 'other':
      return message;
    case 'relaying':
    case 'client':
      return fromAppliance ? REFUSED[refusal] : { ...REFUSED[refusal], kind: 'this-machine' };
    case 'credentials':
    case 'encryption-required':
    case 'login-not-offered':
    case 'login-required':
    case 'turned-away':
    case 'unavailable':
      return REFUSED[refusal];
  }
}

/** Reply 454 (RFC 3207 §4). */
function refusesTlsForNow({ reason, code }: MailFailure): boolean {
  return reason === 'rejected' && isTemporary(code ?? 0);
}

/** This machine does not trust the certificate's authority. */
const UNTRUSTED: readonly (string | null)[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

function tlsOf({ tlsError, issuer }: MailFailure): Expectation {
  return issuer !== undefined && UNTRUSTED.includes(tlsError) ? { ...TLS, kind: 'untrusted' } : TLS;
}

/** If the port expects TLS from the start, the server and the client wait for each other. */
function silent({ reason }: MailFailure, security: MailObservation['security']): Expectation {
  return reason === 'timeout' && security !== 'tls' ? { ...ANSWERS, kind: 'silent' } : ANSWERS;
}

/**
 * A 4yz reply asks the client to try again later (RFC 5321 §4.2.1). For a sender or a recipient, such a reply is normal
 * (greylisting, 450 and 451), and FortiAuthenticator's mail queue retries later.
 */
function levelOf({ stage, reason, code }: MailFailure, { kind }: Pick<Expectation, 'kind'>): FindingLevel {
  if (isOfThisMachine(reason)) return 'unknown';
  if (kind === 'this-machine') return 'warning';
  return isTemporary(code ?? 0) && (stage === 'login' || stage === 'sender' || stage === 'recipient')
    ? 'warning'
    : 'broken';
}

const COMMANDS: Readonly<Partial<Record<MailStage, string>>> = {
  ehlo: 'EHLO or STARTTLS',
  login: 'the login (AUTH)',
  sender: 'MAIL FROM',
  recipient: 'RCPT TO',
};

function claimOf(
  outcome: MailFailure,
  { rule, claim }: Pick<Expectation, 'rule' | 'claim'>,
  level: FindingLevel,
): Pick<Expectation, 'claim'> {
  const { stage, reason, tlsError } = outcome;
  if (level === 'unknown') return { claim: 'This machine could not connect to the mail server.' };
  if (tlsError === 'NO_STARTTLS') return { claim: 'The mail server does not offer STARTTLS.' };
  if (tlsError === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return { claim: 'The mail server answers in plain text, but TLS is expected from the start.' };
  if (rule === TLS.rule) return { claim: tlsClaim(outcome, claim) };
  if (rule === GOES_ON.rule)
    return { claim: `The mail server sent a greeting, then ${endedBy(reason)} ${COMMANDS[stage] ?? stage}.` };
  return { claim: rule === ANSWERS.rule ? withMore(claim, ': ', `${reason} (${stage})`) : claim };
}

function tlsClaim({ issuer }: MailFailure, claim: string): string {
  if (issuer === undefined) return claim;
  const name = shortName(issuer);
  const by = name === null ? 'an authority without a name' : `"${name}"`;
  return withMore(claim, ': ', `its certificate was issued by ${by}`);
}

function endedBy(reason: FailureReason): string {
  if (reason === 'timeout') return 'did not answer';
  return reason === 'protocol' ? 'gave no SMTP reply to' : 'ended the connection at';
}

/** A dead internet connection explains a missing answer, but not a refusal. */
const SILENT: readonly string[] = ['mail-server-resolves', 'mail-server-answers', 'mail-session-goes-on'];
/** A faulty resolver can explain this. */
const NAMELESS: readonly string[] = ['mail-server-resolves'];

export const mail: Declaration<'mail', MailCause> = {
  id: 'mail',
  title: 'Mail',
  dependsOn: [
    { kind: 'explained', by: 'internet', when: breaksOnly(SILENT), evidence: false },
    { kind: 'explained', by: 'name-resolution', when: breaksOnly(NAMELESS), evidence: false },
  ],
  causes: MAIL_CAUSES,
  unknownRemedy: 'Allow this machine to connect to the servers in "mail", from the same network as FortiAuthenticator.',
  place: { kind: 'branch', name: 'Mail', hint: 'delivers codes to users' },
  step: 'code',
  adjust: withUnknownServers,
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

/**
 * If no mail servers are configured, they are read from the appliances. An appliance that cannot be read may use mail
 * servers that ftm-watch does not know.
 */
function withUnknownServers(own: Assessment, { picture: { appliances: units } }: Everything): Assessment {
  const unread = units.filter(({ rest }) => rest !== null && rest.kind !== 'ok').map(({ config }) => config.name);
  if (own.kind !== 'not-configured' || unread.length === 0) return own;
  return {
    id: own.id,
    ...unjudged(`The mail servers of ${nameList(unread)} are unknown, because the API cannot be read`),
  };
}

interface JudgedServer {
  readonly seen: MailObservation;
  readonly findings: readonly Finding<MailCause>[];
}

/** The servers are evaluated together, because one working server can deliver all codes. */
export function judgeMailServers(servers: readonly MailObservation[], view: MailView): readonly Finding<MailCause>[] {
  const judged = servers.map((seen): JudgedServer => ({ seen, findings: judgeMail(seen, view) }));
  const working = judged.find(hasNoFinding) ?? judged.find(acceptsLater);
  if (working === undefined)
    return [...judged.flatMap(({ findings }) => findings), ...judged.flatMap(judgeDelay)];
  const aside = `${working.seen.server} still accepts messages${hasNoFinding(working) ? '' : ', after a delay'}`;
  return judged.flatMap((each) => [
    ...(each.seen.required ? each.findings : each.findings.map((finding) => withWorkingServer(finding, aside))),
    ...judgeDelay(each),
  ]);
}

function judgeDelay(judged: JudgedServer): readonly Finding<MailCause>[] {
  return hasNoFinding(judged) || isGreylisting(judged) ? judgeDeferral(judged.seen) : [];
}

function hasNoFinding({ findings }: JudgedServer): boolean {
  return findings.length === 0;
}

function isGreylisting({ findings }: JudgedServer): boolean {
  return findings.some(({ kind }) => kind === GREYLISTED.kind);
}

/**
 * Reports whether a greylisting server accepts the message before the code expires. If the code's lifetime is unknown,
 * the shortest possible lifetime is used. An unmeasured delay is assumed to be shorter.
 */
function acceptsLater(judged: JudgedServer): boolean {
  const { deferral } = judged.seen;
  if (!isGreylisting(judged)) return false;
  return deferral === undefined || (deferral.codeLife !== null && deferral.lasted < deferral.codeLife);
}

function withWorkingServer(finding: Finding<MailCause>, aside: string): Finding<MailCause> {
  if (finding.level !== 'broken') return finding;
  return { ...withMoreSaid(finding, '; ', aside), level: 'warning' };
}

/**
 * A delay is a fault only if the activation code has expired on arrival. This machine measured it with its own retries,
 * which are more frequent than those of most clients.
 */
function judgeDeferral({ server, security, deferral }: MailObservation): readonly Finding<MailCause>[] {
  if (deferral === undefined || deferral.codeLife === null || deferral.lasted < deferral.codeLife) return [];
  const [waited, life] = [spanText(deferral.lasted), spanText(deferral.codeLife)];
  return [
    {
      rule: 'mail-arrives-while-codes-live',
      subject: server,
      claim: `The mail server deferred messages for ${waited}, but an activation code is valid for ${life}.`,
      expected: `a message is accepted within ${life}, while an activation code is valid`,
      level: 'warning',
      suggests: 'mail-outlasts-code',
      confidence: 'suspected',
      facts: { security, waited, life },
    },
  ];
}

export interface MailView {
  /** True if the probe uses FortiAuthenticator's address. The mail server then treats both the same way. */
  readonly fromAppliance: boolean;
}

/** Appliances also send mail from their addresses in `logSources`. */
export function mailViewOf({
  sourceAddress,
  appliances,
}: Pick<WatchedConfig, 'sourceAddress' | 'appliances'>): MailView {
  const own = appliances.flatMap(({ logSources }) => logSources);
  return { fromAppliance: sourceAddress !== null && addressInAny(sourceAddress, own) };
}
