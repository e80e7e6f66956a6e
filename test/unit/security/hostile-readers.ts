import { createPublicRoots } from '../../../src/trust/load-trust.ts';
import { freshKnowledge } from '../../support/certificates/tls-knowledge.ts';
import { captureToJson, examineCaptures } from '../../../src/capture/judge-capture.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { explain } from '../../../src/cli/run-logs.ts';
import {
  parseLicensedTokens,
  parseSmsQuota,
  createTokenCounter,
  parseTokenPage,
} from '../../../src/connectors/token-counts.ts';
import { parseMailServers, parseProvisioningServer, parseSystemInfo } from '../../../src/connectors/appliances.ts';
import {
  parseAccessToken,
  parseLicenseRecords,
  productHoldsLicense,
  serviceError,
  tokenError,
} from '../../../src/connectors/registration-replies.ts';
import {
  parsePolicy,
  parsePolicyId,
  parseSslProfile,
  resultOf,
  securityProfilesOf,
} from '../../../src/connectors/firewall-replies.ts';
import { cleanJson } from '../../../src/network/rest/json-exchange.ts';
import { createSecretFilter } from '../../../src/core/visible-text.ts';
import { recogniseBlockPage } from '../../../src/core/block-page.ts';
import { readDer, parseCertificate, parseSubjectAltName } from '../../../src/tls/parse-certificate.ts';
import { formatDistinguishedName, parseDistinguishedName } from '../../../src/tls/names.ts';
import { authorityKeyIdentifier, isForServers, maySignFor } from '../../../src/tls/extensions.ts';
import { readRegistrationMemory } from '../../../src/connectors/registration.ts';
import { combineVerdicts, failedRecipients } from '../../../src/notify/channels/email.ts';
import { failureMessage, ProbeError } from '../../../src/network/failure.ts';
import { parseReply, SmtpError } from '../../../src/network/smtp/session.ts';
import { beginsAsTls, readableText, alertAtHello } from '../../../src/network/tls/handshake.ts';
import { headerFacts } from '../../../src/network/http/request.ts';
import { readPolling } from '../../../src/logs/polling-log.ts';
import { parsePasswordHash } from '../../../src/web/password-hash.ts';
import { formatIssue } from '../../../src/config/issues.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { configMachine } from '../../support/config/config-machine.ts';
import { loadProducts } from '../../../src/trust/products.ts';
import { heard } from '../../support/logs/heard.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

type Headers = Parameters<typeof headerFacts>[0];

const PRODUCTS = await loadProducts([]);

const NOW = Date.UTC(2026, 10, 24, 13);
const KB = 1024;

const signatures = await shippedCatalogue();
const withoutSecrets = createSecretFilter(['web-service-key', 'monitor:web-service-key']);
const attribution = createAttribution([{ name: 'fac-1', logSources: ['fac01'] }], NO_OTHERS);
const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: [] };

export function readCertificate(bytes: Buffer): unknown {
  const text = bytes.toString('latin1');
  const certificate = parseCertificate(bytes);
  const readings =
    certificate === null
      ? []
      : [authorityKeyIdentifier(certificate), maySignFor(certificate, 'a.example.test'), isForServers(certificate)];
  const { der: _, ...shown } = certificate ?? { der: null };
  return {
    shown,
    readings,
    elements: readDer(bytes)?.length ?? null,
    names: parseSubjectAltName(text),
    subject: formatDistinguishedName(parseDistinguishedName(text)),
  };
}

export function readPlain(bytes: Buffer): unknown {
  const text = bytes.toString('latin1');
  // The tap keeps 16 KiB of an answer that is not TLS, and 64 KiB of a response.
  const first = bytes.subarray(0, 16 * KB);
  return {
    text: readableText(first),
    isTls: beginsAsTls(first),
    alert: alertAtHello(first),
    page: recogniseBlockPage({ status: null, location: null, text, words: readableText(first) }, PRODUCTS),
  };
}

export function readHeaders(bytes: Buffer): unknown {
  const value = jsonOf(bytes);
  const headers: Headers = Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).flatMap(([name, field]) => fieldOf(name, field)),
  );
  const location = [headers['location'] ?? []].flat()[0] ?? null;
  return {
    ...headerFacts(headers),
    page: recogniseBlockPage({ status: 302, location, text: '', words: '' }, PRODUCTS),
  };
}

function fieldOf(name: string, field: unknown): readonly (readonly [string, string | readonly string[]])[] {
  if (typeof field === 'string') return [[name, field]];
  return Array.isArray(field) && field.every((value) => typeof value === 'string') ? [[name, field]] : [];
}

export function readSmtp(bytes: Buffer): unknown {
  const response = bytes.toString('latin1');
  const code = Number(response.slice(0, 3));
  const error = {
    message: response,
    response,
    responseCode: Number.isInteger(code) ? code : undefined,
    command: 'RCPT TO',
  };
  const [own, other] = ['own@example.org', 'other@example.org'];
  const ofSession = { ...error, rejectedErrors: [{ ...error, recipient: own }] };
  const outcomes = failedRecipients(ofSession, [own, other], { name: 'mail:25', secrets: [] });
  return [outcomes, combineVerdicts(own, [...outcomes, ...outcomes], 2)];
}

export function readReply(bytes: Buffer): unknown {
  return refusalOf(bytes.toString('latin1'));
}

function refusalOf(reply: string): string {
  try {
    return failureMessage(new SmtpError(parseReply(reply)));
  } catch (error) {
    if (error instanceof ProbeError) return failureMessage(error);
    throw error;
  }
}

export function readLog(bytes: Buffer): unknown {
  return [
    heard([bytes], { attribution, origin: { kind: 'unproven' } }),
    heard([bytes], { attribution, origin: { kind: 'relay' }, octetCounting: false }),
  ];
}

export function explained(bytes: Buffer): unknown {
  let text = '';
  const output = { write: (more: string) => (text += more) };
  // The lines on the command line. None of them waits.
  const lines = bytes.toString('utf8').split('\n').slice(0, 50);
  const asked = { lines, input: nothing(), output, signatures, attribution, watched };
  for (const json of [false, true]) void explain({ ...asked, json, style: { color: false, width: 80 }, columns: 80 });
  return text;
}

async function* nothing(): AsyncGenerator<Buffer> {}

export function readFortiAuthenticator(value: unknown): unknown {
  const page = parseTokenPage(value);
  const counter = createTokenCounter();
  if (page !== null) counter.add(page.tokens);
  return [
    parseSystemInfo(value),
    parseSmsQuota(value),
    parseMailServers(value),
    parseLicensedTokens(value),
    parseProvisioningServer(value),
    counter.counts(),
  ];
}

export function readRegistration(value: unknown): unknown {
  const records = (parseLicenseRecords(value) ?? []).filter(({ license }) => license === 'EFTM000000000001');
  return [
    tokenError(value),
    parseAccessToken(value),
    serviceError(value),
    records,
    productHoldsLicense(value, 'EFTM000000000001'),
  ];
}

export function readFortiGate(value: unknown): unknown {
  const result = resultOf(value);
  if (result === null) return [];
  return [parsePolicyId(result), parsePolicy(5, result), securityProfilesOf(result), parseSslProfile(result, 443)];
}

export function readState(value: unknown): unknown {
  // Samples were sanitised before they were stored, and are shown unchanged. A file written by somebody else is not
  // trusted.
  const polling = readPolling(value, NOW);
  return [polling === null ? null : Object.keys(polling.appliances).length, readRegistrationMemory(value).failures];
}

export async function readConfiguration(bytes: Buffer): Promise<unknown> {
  const machine = configMachine('/etc/ftm-watch');
  const files = { ...machine.files, read: () => Promise.resolve({ kind: 'read', bytes } as const) };
  const loaded = await loadConfig({ ...machine, path: 'ftm-watch.yaml', files });
  return loaded.kind === 'ok' ? loaded.config.site : loaded.issues.map(formatIssue);
}

export function costOf(text: string): unknown {
  const parsed = parsePasswordHash(text);
  return Object.entries(parsed).filter(([, value]) => typeof value === 'number');
}

/** Parses, or returns the message of a declared error, which begins with the operation that failed. */
export function declared(parse: (text: string) => unknown): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return parse(bytes.toString('utf8'));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('Cannot ')) return error.message;
      throw error;
    }
  };
}

/** Input that is not JSON does not reach the parser, as in its callers. */
export function json(parse: (value: unknown) => unknown): (bytes: Buffer) => unknown {
  return (bytes) => {
    const value = jsonOf(bytes);
    return value === undefined ? null : parse(cleanJson(value, withoutSecrets));
  };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const CAPTURE_TARGET = { host: 'license.example.test', port: 443, serverName: null, addresses: ['127.0.0.1'] };
const CAPTURE_NOW = Date.UTC(2026, 10, 28);
const captureKnowledge = freshKnowledge({
  trust: { pins: [], anchors: [], publicRoots: createPublicRoots([]) },
});

/** Returns every connection of a capture with its verdict. */
export async function readPackets(bytes: Buffer): Promise<unknown> {
  async function* whole(): AsyncGenerator<Buffer> {
    yield bytes;
  }
  const sources = [{ name: 'capture', bytes: whole() }];
  const options = { all: true, now: CAPTURE_NOW, onProgress: () => undefined };
  return captureToJson(await examineCaptures(sources, CAPTURE_TARGET, () => captureKnowledge, options));
}
