import { printConfig } from '../config/print.ts';
import type { Config } from '../config/config.ts';
import { chainPem } from '../core/certificate-pem.ts';
import type { DnsReply, EndpointObservation, HttpOutcome, TcpOutcome } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import { visibleText } from '../core/visible-text.ts';
import type { JudgedEndpoint } from '../round/judge-tls-path.ts';
import type { Examination } from './examination.ts';
import { renderDiagnosis } from './report-text.ts';

const LONGEST_TEXT = 2_000;
const PLAIN = { color: false, width: 100 };

/**
 * Everything that was seen, for the firewall team or a support ticket: what was concluded, every answer with its times, every chain as
 * it was sent. Secrets are not in it: the configuration names only where they come from.
 */
export function renderEvidence({ diagnosis, observations, judged }: Examination, config: Config, version: string): string {
  const { licenseServer, services, controls, durationMs, stalledMs } = observations;
  return [
    `ftm-watch ${version}: evidence of ${new Date(observations.startedAt).toISOString()}`,
    `The round took ${milliseconds(durationMs)}; this process stood still for ${milliseconds(stalledMs)} of it at the longest.`,
    '',
    renderDiagnosis(diagnosis, PLAIN),
    ...[licenseServer, ...services, ...controls].flatMap(pathLines),
    ...judged.tls.flatMap(({ judged: { endpoints } }) => endpoints.flatMap(chainLines)),
    heading('Configuration in force'),
    printConfig(config),
  ].join('\n');
}

function pathLines({ subject, names, endpoints, references }: PathObservation): readonly string[] {
  return [
    heading(`Path to ${subject}`),
    ...names.flatMap(({ resolver, a, aaaa }) => [`${resolver}  A     ${replyText(a)}`, `${resolver}  AAAA  ${replyText(aaaa)}`]),
    ...endpoints.flatMap(endpointLines),
    ...references.map(({ kind, label, outcome }) => `reference (${kind} ${label}): ${outcome.kind}`),
    '',
  ];
}

function replyText(reply: DnsReply): string {
  if (reply.kind === 'failed')
    return `${reply.reason}: ${shown(reply.message)} after ${milliseconds(reply.durationMs)}, attempts: ${String(reply.attempts)}`;
  const ttl = reply.ttlSeconds === null ? '' : `, TTL ${String(reply.ttlSeconds)} s`;
  const chain = reply.cnames.length === 0 ? '' : ` by way of ${shown(reply.cnames.join(', '))}`;
  return `${reply.rcode} ${reply.addresses.join(', ')}${chain}${ttl} in ${milliseconds(reply.durationMs)}`;
}

function endpointLines({ address, proxy, tcp, tls, http }: EndpointObservation): readonly string[] {
  const way = proxy === null ? address : `${address} through ${proxy}`;
  return [
    `${way}  TCP   ${tcpText(tcp)}`,
    ...(tls === null
      ? []
      : [`${way}  TLS   ${tls.kind}, SNI "${shown(tls.serverName)}", ${tlsText(tls)}, ${milliseconds(tls.durationMs)}`]),
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
      return `status ${String(http.status)}${http.blockPage === null ? '' : `, block page: ${shown(http.blockPage)}`}, ${milliseconds(http.durationMs)}`;
    case 'client-certificate-demanded':
      return 'a client certificate is demanded';
    case 'failed':
      return `${http.reason}: ${shown(http.message)} after ${milliseconds(http.durationMs)}`;
  }
}

function chainLines({ endpoint, outcome, judgement }: JudgedEndpoint): readonly string[] {
  return [
    heading(`Certificates of ${endpoint.target} at ${endpoint.address}`),
    `Verdict: ${judgement.verdict} (${judgement.confidence}). ${shown(judgement.summary)}`,
    ...(judgement.settle === null ? [] : [`What would settle it: ${shown(judgement.settle)}`]),
    ...judgement.findings.map(({ rule, expected, actual }) => `${rule}: expected ${shown(expected)}, got ${shown(actual)}`),
    '',
    outcome.chain === null ? 'No certificate was sent.' : chainPem(outcome.chain),
    '',
  ];
}

function heading(text: string): string {
  return `== ${shown(text)} ==\n`;
}

function shown(text: string): string {
  return visibleText(text, LONGEST_TEXT);
}

function milliseconds(duration: number): string {
  return `${duration.toFixed(1)} ms`;
}
