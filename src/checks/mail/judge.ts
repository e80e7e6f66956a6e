import { type Explanation, type Finding, type FindingLevel, note, unknown, warning } from '../../engine/model.ts';
import {
  type MailObservation,
  type FailureReason,
  isOfThisMachine,
  isOwnTrouble,
  type MailOutcome,
  type MailStage,
} from '../../core/observation.ts';
import { nameList } from '../../core/visible-text.ts';
import type { Declaration, Facts, Judgement } from '../check.ts';
import { fromRound, judged, notConfigured, unjudged, withFindings } from '../judgement.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import { judgeAuthority, rootFacts } from './authority.ts';
import { MAIL_CAUSES } from './causes.ts';
import { judgeApplianceLogins, judgeOwnLogins, PASSWORDS_DISABLED, withoutKnown } from './password-logins.ts';
import { withMore, withMoreSaid } from '../../engine/words.ts';
import { formatDistinguishedName, shortName } from '../../tls/names.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import { addressInAny } from '../../core/addresses.ts';

type MailCause = keyof typeof MAIL_CAUSES;

type MailFailure = Extract<MailOutcome, { kind: 'failed' }>;

/** Expected result of a step in an SMTP session, with the claim to report if the result differs. */
interface Expectation {
  readonly rule: string;
  readonly claim: string;
  readonly expected: string;
  readonly suggests: MailCause;
  readonly kind?: string;
  readonly confidence?: 'suspected';
}

const RESOLVES: Expectation = {
  rule: 'mail-server-resolves',
  claim: 'The name of the mail server does not resolve to an address.',
  expected: 'an address for the name of the mail server',
  suggests: 'mail-unreachable',
};

const ANSWERS: Expectation = {
  rule: 'mail-server-answers',
  claim: 'The mail server does not answer.',
  expected: 'a mail server that answers',
  suggests: 'mail-unreachable',
};

/** Fails if a session ends without a reply that describes the problem. */
const GOES_ON: Expectation = {
  rule: 'mail-session-goes-on',
  claim: 'The mail server sent a greeting, then stopped answering.',
  expected: 'an answer to each command',
  suggests: 'mail-stops-answering',
};

const TLS: Expectation = {
  rule: 'mail-tls-verifies',
  claim: 'TLS to the mail server fails.',
  expected: 'TLS with a certificate that verifies',
  suggests: 'mail-tls-broken',
};

const MISSING_ROOT: Expectation = {
  rule: 'mail-tls-verifies-on-appliance',
  claim: 'The certificate of the mail server leads to no root authority in mail[].applianceCaFile.',
  expected: 'a certificate that leads to a root authority in mail[].applianceCaFile',
  suggests: 'mail-tls-broken',
  kind: 'missing-root',
};

const SENDER: Expectation = {
  rule: 'mail-sender-accepted',
  claim: 'The mail server rejects the sender.',
  expected: 'the sender is accepted',
  suggests: 'mail-recipient-rejected',
};

const RECIPIENT: Expectation = {
  rule: 'mail-recipient-accepted',
  claim: 'The mail server rejects the recipient.',
  expected: 'the recipient is accepted',
  suggests: 'mail-recipient-rejected',
};

/** Greylisting is not a fault. The server accepts the message on a later attempt. */
const GREYLISTED = { claim: 'The mail server asks the client to retry later.', kind: 'later' } as const;

const REFUSED = {
  relaying: {
    rule: 'mail-relay-permitted',
    claim: 'The mail server does not relay messages from this address.',
    expected: 'messages from this address are relayed',
    suggests: 'mail-relay-denied',
  },
  /** A block list, an access list or a missing reverse DNS name. */
  client: {
    rule: 'mail-client-accepted',
    claim: "The mail server refuses the client's address.",
    expected: 'this address is accepted',
    suggests: 'mail-client-refused',
  },
  /** No reason is given, so other clients may be affected as well. */
  'turned-away': {
    rule: 'mail-client-accepted',
    claim: 'The mail server answers, but refuses the session.',
    expected: 'a greeting that begins with 220',
    suggests: 'mail-client-refused',
    kind: 'turned-away',
    confidence: 'suspected',
  },
  'login-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server requires a login, but none is configured.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'login',
  },
  'encryption-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server requires encryption.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'encryption',
  },
  'login-not-offered': {
    rule: 'mail-login-accepted',
    claim: 'The mail server does not offer a supported login method on this connection.',
    expected: 'a supported login method is offered',
    suggests: 'mail-login-rejected',
    kind: 'not-offered',
  },
  credentials: {
    rule: 'mail-login-accepted',
    claim: 'The mail server rejects the user name or password.',
    expected: 'the user name and password are accepted',
    suggests: 'mail-login-rejected',
  },
  'password-login': {
    rule: 'mail-login-accepted',
    claim: 'The mail server does not accept a login with a password.',
    expected: 'a login with a password is accepted',
    suggests: 'mail-login-rejected',
    kind: PASSWORDS_DISABLED,
  },
  unavailable: {
    rule: 'mail-server-available',
    claim: 'The mail server reports that it is temporarily unavailable.',
    expected: 'a mail server that accepts messages',
    suggests: 'mail-unavailable',
  },
} satisfies Readonly<Record<string, Expectation>>;

export function judgeMail(seen: MailObservation, view: MailView): readonly Finding<MailCause>[] {
  const { server, security, patience, outcome } = seen;
  if (outcome.kind === 'accepted') return outcome.slowestMs > patience ? [tooSlow(server, patience, outcome)] : [];
  const { suggests, confidence, ...expectation } = expectationOf(seen, outcome, view);
  const level = levelOf(outcome, expectation);
  const issuer = outcome.issuer === undefined ? null : shortName(outcome.issuer);
  const { root = null } = seen.tls ?? {};
  const told = {
    ...expectation,
    claim: claimOf(outcome, expectation, level),
    subject: server,
    quote: outcome.message,
    ...(outcome.issuer === undefined ? {} : { fullNames: [formatDistinguishedName(outcome.issuer)] }),
    facts: { security, ...(issuer === null ? {} : { issuer }), ...(root === null ? {} : rootFacts([root])) },
  };
  if (level === 'unknown') return [unknown(told)];
  // FortiAuthenticator's API does not return the configured login, so a mail server that requires a login is not
  // reported as faulty.
  if (seen.isLoginUnknown === true && expectation.kind === 'login') return [note(told)];
  return [{ ...told, level, suggests, ...(confidence === undefined ? {} : { confidence }) }];
}

/** Mail is still delivered if the client waits long enough. For example, Postscreen delays every client by 6 s. */
function tooSlow(server: string, patience: Millis, { slowestMs }: { readonly slowestMs: Millis }): Finding<MailCause> {
  return warning('mail-slow', {
    rule: 'mail-server-answers-in-time',
    subject: server,
    claim:
      `The mail server took ${spanText(slowestMs)} to send one answer, but FortiAuthenticator waits only ` +
      `${spanText(patience)}.`,
    expected: `each answer within ${spanText(patience)}, which is the time that FortiAuthenticator waits`,
  });
}

function expectationOf({ security, tls }: MailObservation, outcome: MailFailure, view: MailView): Expectation {
  const { stage, reason, code } = outcome;
  if (reason === 'name-not-resolved') return RESOLVES;
  if (stage === 'connect') return ANSWERS;
  if (stage === 'tls') return refusesTlsForNow(outcome) ? REFUSED.unavailable : tlsOf(outcome, tls);
  if (isOwnTrouble(reason)) return stage === 'greeting' || stage === 'ehlo' ? ANSWERS : OWN[stage];
  if (reason === 'rejected') return refusedOf({ stage, code: code ?? 0, text: outcome.message }, view);
  return stage === 'greeting' ? silent(outcome, security) : GOES_ON;
}

/** The refusal for each stage if there is no more specific reason. */
const OWN = { login: REFUSED.credentials, sender: SENDER, recipient: RECIPIENT } as const;

interface RefusingReply {
  readonly stage: Exclude<MailStage, 'connect' | 'tls'>;
  /** RFC 5321 §4.2. */
  readonly code: number;
  /** Untrusted. */
  readonly text: string;
}

/** Postfix, Exim, Sendmail, qmail and Exchange. */
const RELAYING =
  /\brelay access denied\b|\brelay not permitted\b|\brelaying (?:denied|to\b.+\b(?:denied|prohibited))|\bunable to relay\b|\brcpthosts\b|\brecipient address rejected: access denied\b|\b5\.7\.64\b/iu;

/** Postfix sends this reply only if the client's address does not exempt the client from logging in. */
const NOT_LOGGED_IN = /\bsender address rejected: not logged in\b/iu;

/**
 * Rejections of the client's address by Postfix, Exim, Sendmail, Exchange and block lists. X.7.25: the address's
 * reverse DNS name is wrong (RFC 7372 §3.3). X.7.23: the SPF record does not include the address (RFC 7372 §3.2).
 */
const CLIENT =
  /\bclient host\b|\bhelo command rejected\b|\binvalid helo\b|\bblocked using\b|\b(?:block|black|deny)-?list|\bRBL\b|\bDNSBL\b|\bspamhaus\b|\bspamcop\b|\bbarracudacentral\b|\breverse (?:dns|name|hostname|lookup)|\bPTR\b|\bfcrdns\b|\bcannot find your (?:reverse )?host ?name\b|\bSPF\b|\byour (?:ip|host)\b|\b[45]\.7\.2[35]\b/iu;

/** Security or policy reasons (RFC 3463 §3.8). */
const POLICY = /\b5\.7\.\d{1,3}\b/u;

const ENCRYPTION = /\b(?:STARTTLS|TLS|SSL|encrypt(?:ed|ion))\b/iu;

/** Authentication, or encryption for the login method, is required (RFC 4954 §6). */
const REQUIRED: readonly number[] = [530, 538];

/** The login command is not available in this session (RFC 5321 §4.2.4, RFC 4954 §4). */
const NOT_OFFERED: readonly number[] = [500, 502, 503, 504];

/**
 * Temporary codes that concern addresses or systems (X.1, X.3, X.4 and X.5 in RFC 3463 §3) and for which a retry does
 * not help. Excludes Postscreen's reply to new clients, because Postscreen accepts their next attempt.
 */
const OF_SYSTEMS = /\b4\.[1345]\.\d{1,3}\b(?! Service currently unavailable)/u;

/** @param reply a negative reply to a command, or a negative greeting */
function refusedOf(reply: RefusingReply, view: MailView): Expectation {
  const { stage, code, text } = reply;
  const address = view.fromAppliance ? {} : { kind: 'this-machine' };
  const ended = refusedPassword(reply);
  if (ended !== null) return ended;
  if (REQUIRED.includes(code)) return REFUSED[ENCRYPTION.test(text) ? 'encryption-required' : 'login-required'];
  if (stage === 'login') return refusedLogin(code);
  if (CLIENT.test(text)) return { ...REFUSED.client, ...address };
  if (stage === 'greeting' || stage === 'ehlo') return REFUSED[isTemporary(code) ? 'unavailable' : 'turned-away'];
  if (RELAYING.test(text) || NOT_LOGGED_IN.test(text)) return { ...REFUSED.relaying, ...address };
  return refusedMessage(reply, view);
}

function refusedMessage({ stage, code, text }: RefusingReply, { fromAppliance }: MailView): Expectation {
  const message = stage === 'sender' ? SENDER : RECIPIENT;
  if (code === 421) return REFUSED.unavailable;
  if ((code === 450 || code === 451) && !OF_SYSTEMS.test(text)) return { ...message, ...GREYLISTED };
  // The policy may apply only to this machine's address.
  const isPolicy = POLICY.test(text) && !isAboutSender(text);
  return isPolicy && !fromAppliance ? { ...message, confidence: 'suspected' } : message;
}

/** Replies of Exchange Online that do not depend on the password. */
const NO_PASSWORDS =
  /\bbasic authentication is (?:not supported|disabled)\b|\bSmtpClientAuthentication is disabled\b/iu;

/** Also sent for a policy that blocks the account. Outside of logins, 5.7.30 has another meaning (RFC 8689 §8.4). */
const NO_PASSWORD_CODE = /\b5\.7\.(?:30|139)\b/u;
const WRONG_PASSWORD = /\bcredentials were incorrect\b/iu;

function refusedPassword({ stage, code, text }: RefusingReply): Expectation | null {
  if (isTemporary(code)) return null;
  if (NO_PASSWORDS.test(text)) return REFUSED['password-login'];
  const isLikely = stage === 'login' && NO_PASSWORD_CODE.test(text) && !WRONG_PASSWORD.test(text);
  return isLikely ? { ...REFUSED['password-login'], confidence: 'suspected' } : null;
}

/** 454 is a temporary failure of the authentication system, not a problem with the password (RFC 4954 §6). */
function refusedLogin(code: number): Expectation {
  if (isTemporary(code)) return REFUSED.unavailable;
  return REFUSED[NOT_OFFERED.includes(code) ? 'login-not-offered' : 'credentials'];
}

/** Postfix or Exchange does not permit this sender address for the logged-in user. */
function isAboutSender(text: string): boolean {
  return /\bsender address rejected\b|\bnot owned by user\b|\bsend as this sender\b/iu.test(text);
}

/** 4yz (RFC 5321 §4.2.1). */
function isTemporary(code: number): boolean {
  return code >= 400 && code < 500;
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

function tlsOf({ tlsError, issuer }: MailFailure, tls: MailObservation['tls']): Expectation {
  if (issuer === undefined || !UNTRUSTED.includes(tlsError)) return TLS;
  return tls?.trust === 'appliance' ? MISSING_ROOT : { ...TLS, kind: 'untrusted' };
}

/** If the port expects TLS from the start, the server and the client each wait for the other. */
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
): string {
  const { stage, reason, tlsError, issuer } = outcome;
  if (level === 'unknown') return 'ftm-watch could not connect to the mail server.';
  if (tlsError === 'NO_STARTTLS') return 'The mail server does not offer STARTTLS.';
  if (tlsError === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'The mail server answers in plain text, but TLS is expected from the start.';
  if (rule === GOES_ON.rule)
    return `The mail server sent a greeting, then ${endedBy(reason)} ${COMMANDS[stage] ?? stage}.`;
  if (rule === ANSWERS.rule) return withMore(claim, ': ', `${reason} (${stage})`);
  if ((rule !== TLS.rule && rule !== MISSING_ROOT.rule) || issuer === undefined) return claim;
  const name = shortName(issuer);
  const by = name === null ? 'an authority without a name' : `"${name}"`;
  return withMore(claim, ': ', `its certificate was issued by ${by}`);
}

function endedBy(reason: FailureReason): string {
  if (reason === 'timeout') return 'did not answer';
  return reason === 'protocol' ? 'did not send an SMTP reply to' : 'ended the connection at';
}

/** A failed internet connection explains a missing answer, but not a refusal. */
const SILENT: readonly string[] = ['mail-server-resolves', 'mail-server-answers', 'mail-session-goes-on'];
/** Failures that a faulty resolver can cause. */
const NAMELESS: readonly string[] = ['mail-server-resolves'];

function breaksOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every(({ level, rule }) => level !== 'broken' || rules.includes(rule));
}

export const mail: Declaration<'mail', MailCause> = {
  id: 'mail',
  title: 'Mail',
  dependsOn: [
    { kind: 'explained', by: 'internet', when: breaksOnly(SILENT), evidence: false },
    { kind: 'explained', by: 'name-resolution', when: breaksOnly(NAMELESS), evidence: false },
  ],
  countsForReady: true,
  causes: MAIL_CAUSES,
  unknownRemedy: 'Allow ftm-watch to connect to the servers in "mail", from the same network as FortiAuthenticator.',
  place: { kind: 'branch', name: 'Mail', hint: 'delivers codes to users' },
  step: 'code',
  sources: ['round'],
  judge: (facts) => {
    const own = fromRound('mail', judgeServers(facts), facts);
    const units = facts.picture.appliances;
    return withFindings(withUnknownServers(own, units), withoutKnown(judgeApplianceLogins(units), own.findings));
  },
};

function judgeServers({ config, round: { observations } }: Facts): Judgement {
  const { mail: servers, startedAt } = observations;
  if (servers.length === 0) return notConfigured('No mail server is configured');
  const findings = judgeMailServers(servers, mailViewOf(config));
  return judged(
    [
      ...findings,
      ...withoutKnown(judgeOwnLogins(config.mail, servers, startedAt), findings),
      ...servers.flatMap(judgeAuthority),
    ],
    `${nameList(servers.map(({ server }) => server))} ${servers.every(isAccepting) ? 'accepts a message' : 'answers'}`,
  );
}

function isAccepting({ outcome }: MailObservation): boolean {
  return outcome.kind === 'accepted';
}

/**
 * If no mail servers are configured, they are read from the appliances. If an appliance's API cannot be read, the
 * appliance may use mail servers that are unknown to ftm-watch.
 */
function withUnknownServers(own: Judgement, units: Facts['picture']['appliances']): Judgement {
  const unread = units.filter(({ rest }) => rest !== null && rest.kind !== 'ok').map(({ config }) => config.name);
  if (own.kind !== 'not-configured' || unread.length === 0) return own;
  return unjudged(`The mail servers of ${nameList(unread)} are unknown, because the API cannot be read`);
}

interface JudgedServer {
  readonly seen: MailObservation;
  readonly findings: readonly Finding<MailCause>[];
}

/** The servers are evaluated together, because one working server can deliver all codes. */
function judgeMailServers(servers: readonly MailObservation[], view: MailView): readonly Finding<MailCause>[] {
  const judged = servers.map((seen): JudgedServer => ({ seen, findings: judgeMail(seen, view) }));
  const aside = asideOf(judged);
  return judged.flatMap((each) => [
    ...(each.seen.required || aside === null
      ? each.findings
      : each.findings.map((finding) => withOtherServer(finding, aside))),
    ...judgeDelay(each),
  ]);
}

/** Returns null if no other server can deliver the codes. */
function asideOf(judged: readonly JudgedServer[]): string | null {
  const working = judged.find(hasNoFinding) ?? judged.find(acceptsLater);
  if (working !== undefined)
    return `${working.seen.server} still accepts messages${hasNoFinding(working) ? '' : ', after a delay'}`;
  const open = judged.find(mayAccept);
  return open === undefined ? null : `it is unknown whether ${open.seen.server} accepts messages`;
}

/**
 * The session was not possible because of ftm-watch, or failed in a way that does not affect FortiAuthenticator, which
 * has another address and perhaps a login.
 */
function mayAccept({ findings }: JudgedServer): boolean {
  return findings.every(({ level, kind }) => level === 'unknown' || level === 'note' || kind === 'this-machine');
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
 * Returns whether a greylisting server accepts the message before the code expires. If the code's lifetime is unknown,
 * the shortest possible lifetime is used. A delay that was not measured is assumed to be shorter than the lifetime.
 */
function acceptsLater(judged: JudgedServer): boolean {
  const { deferral } = judged.seen;
  if (!isGreylisting(judged)) return false;
  return deferral === undefined || (deferral.codeLife !== null && deferral.lasted < deferral.codeLife);
}

function withOtherServer(finding: Finding<MailCause>, aside: string): Finding<MailCause> {
  if (finding.level !== 'broken') return finding;
  return { ...withMoreSaid(finding, '; ', aside), level: 'warning' };
}

/**
 * A delay is a fault only if the activation code has expired by the time it arrives. This machine measured the delay
 * with its own retries, which are more frequent than those of most clients.
 */
function judgeDeferral({ server, security, deferral }: MailObservation): readonly Finding<MailCause>[] {
  if (deferral === undefined || deferral.codeLife === null || deferral.lasted < deferral.codeLife) return [];
  const [waited, life] = [spanText(deferral.lasted), spanText(deferral.codeLife)];
  return [
    warning('mail-outlasts-code', {
      rule: 'mail-arrives-while-codes-live',
      subject: server,
      claim: `The mail server deferred messages for ${waited}, but activation codes are valid for ${life}.`,
      expected: `a message is accepted within ${life}, while an activation code is valid`,
      confidence: 'suspected',
      facts: { security, waited, life },
    }),
  ];
}

export interface MailView {
  /** True if the probe uses FortiAuthenticator's address, in which case the mail server treats both the same way. */
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
