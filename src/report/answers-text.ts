import type { JudgedEndpoint } from '../checks/tls-genuine/judge-path.ts';
import { blockPageText } from '../core/block-page.ts';
import type { Millis } from '../core/clock.ts';
import type { DnsReply, EndpointObservation, HttpOutcome, MailObservation, TcpOutcome } from '../core/observation.ts';
import type { PathObservation, RoundObservations } from '../core/round.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Mask } from '../text/mask.ts';

const LONGEST_TEXT = 2_000;

export function answersText({ path, controls, mail, durationMs, stalledMs }: RoundObservations, mask: Mask): string {
  return [
    `The check took ${milliseconds(durationMs)}. ` +
      `This process was blocked for up to ${milliseconds(stalledMs)} at a time.`,
    '',
    ...[path.licenseServer, ...path.services, ...controls].flatMap((seen) => [
      heading(`Path to ${seen.subject}`),
      ...pathLines(seen),
      '',
    ]),
    ...(mail.length === 0 ? [] : [heading('Mail'), ...mail.map(mailLine), '']),
  ]
    .map((line) => mask.line(line))
    .join('\n');
}

export function verdictLines({ endpoint, outcome, judgement }: JudgedEndpoint): readonly string[] {
  return [
    heading(`Certificates of ${endpoint.target} at ${endpoint.address}`),
    `Verdict: ${judgement.verdict} (${judgement.confidence}). ${shown(judgement.summary)}`,
    ...(judgement.wouldSettle === null ? [] : [`For a definite result, ${shown(judgement.wouldSettle)}.`]),
    ...(outcome.chain === null ? ['No certificate was sent.'] : []),
    '',
  ];
}

function heading(text: string): string {
  return `== ${shown(text)} ==\n`;
}

export function pathLines({
  names,
  endpoints,
  references,
}: Omit<PathObservation, 'subject' | 'host'>): readonly string[] {
  return [
    ...names.flatMap(({ resolver, a, aaaa }) => [
      `${resolver}  A     ${replyText(a)}`,
      `${resolver}  AAAA  ${replyText(aaaa)}`,
    ]),
    ...endpoints.flatMap(endpointLines),
    ...references.map(({ kind, label, outcome }) => `reference (${kind} ${label}): ${outcome.kind}`),
  ];
}

export function mailLine({ server, security, outcome }: MailObservation): string {
  const way = `${server}  SMTP  ${security}`;
  if (outcome.kind === 'accepted')
    return `${way}, accepted in ${milliseconds(outcome.durationMs)}, greeting "${shown(outcome.greeting)}"`;
  return (
    `${way}, ${outcome.stage}: ${outcome.reason}: ${shown(outcome.message)} after ` +
    `${milliseconds(outcome.durationMs)}`
  );
}

function replyText(reply: DnsReply): string {
  if (reply.kind === 'failed')
    return (
      `${reply.reason}: ${shown(reply.message)} after ${milliseconds(reply.durationMs)}, attempts: ` +
      `${String(reply.attempts)}`
    );
  const ttl = reply.ttlSeconds === null ? '' : `, TTL ${String(reply.ttlSeconds)} s`;
  const chain = reply.cnames.length === 0 ? '' : ` via ${shown(reply.cnames.join(', '))}`;
  return `${reply.rcode} ${reply.addresses.join(', ')}${chain}${ttl} in ${milliseconds(reply.durationMs)}`;
}

function endpointLines({ address, proxy, tcp, tls, http }: EndpointObservation): readonly string[] {
  const way = proxy === null ? address : `${address} through ${proxy}`;
  return [
    `${way}  TCP   ${tcpText(tcp)}`,
    ...(tls === null
      ? []
      : [
          `${way}  TLS   ${tls.kind}, SNI "${shown(tls.serverName)}", ${tlsText(tls)}, ${milliseconds(tls.durationMs)}`,
        ]),
    ...(http === null ? [] : [`${way}  HTTP  ${httpText(http)}`]),
  ];
}

function tcpText(tcp: TcpOutcome): string {
  return tcp.kind === 'open'
    ? `open in ${milliseconds(tcp.durationMs)}`
    : `${tcp.reason}: ${shown(tcp.message)} after ${milliseconds(tcp.durationMs)}`;
}

function tlsText(tls: EndpointObservation['tls'] & object): string {
  if (tls.kind !== 'failed') return `${tls.protocol ?? 'version unknown'} ${tls.cipher ?? 'cipher unknown'}`;
  const plaintext = tls.plaintext === null ? '' : `, answered in plain text: ${shown(tls.plaintext)}`;
  return `${tls.reason}: ${shown(tls.message)}${tls.alert === null ? '' : `, alert ${tls.alert}`}${plaintext}`;
}

function httpText(http: HttpOutcome): string {
  switch (http.kind) {
    case 'response':
      return (
        'status ' +
        `${String(http.status)}${http.blockPage === null ? '' : `, ${blockPageText(http.blockPage)}: ${shown(http.blockPage.quote)}`}, ` +
        `${milliseconds(http.durationMs)}`
      );
    case 'client-certificate-demanded':
      return 'the server requires a client certificate';
    case 'failed':
      return `${http.reason}: ${shown(http.message)} after ${milliseconds(http.durationMs)}`;
  }
}

/** Makes text from another host safe to display. */
function shown(text: string): string {
  return visibleText(text, LONGEST_TEXT);
}

function milliseconds(duration: Millis): string {
  return `${duration.toFixed(1)} ms`;
}
