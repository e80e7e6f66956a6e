import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { TrustConfig } from '../config/schema/watched.ts';
import type { Certificate, DistinguishedName } from '../core/certificate.ts';
import { formatDistinguishedName, shortName, attributeValues, distinguishedNameKey } from '../tls/names.ts';
import {
  type Baseline,
  isStrongKey,
  type PinnedCertificate,
  type PublicRoots,
  type Trust,
  type TrustAnchor,
  type TrustedPin,
  organizationKey,
} from '../tls/trust.ts';
import { parseCertificate, parseSubject } from '../tls/parse-certificate.ts';
import { certificatePem, readPem } from '../tls/pem.ts';
import { makeFolder, readText, replaceFile } from '../system/json-file.ts';
import { issueTexts, messageOf } from '../text/message-of.ts';

type TrustLoader = (config: Pick<TrustConfig, 'pins' | 'caFiles'>) => Promise<Trust>;

/**
 * Loads the shipped Fortinet authorities, the configured pins and CA files, and Mozilla's roots. Fails if a CA file
 * cannot be read, contains no certificate, or contains a certificate that cannot be trusted.
 * @param publicRoots use the same object for all targets, so that the roots are parsed only once
 */
export function createTrustLoader(publicRoots: PublicRoots): TrustLoader {
  const reading = readShipped();
  // Prevents an unhandled rejection. The caller that loads the trust data receives the error.
  reading.catch(() => undefined);
  const files = new Map<string, Promise<readonly TrustAnchor[]>>();
  const anchorsOf = (file: string): Promise<readonly TrustAnchor[]> => {
    const anchors = files.get(file) ?? readCaFile(file);
    files.set(file, anchors);
    return anchors;
  };
  return async ({ pins, caFiles }) => {
    const shipped = await reading;
    const configured: TrustAnchor[] = [];
    for (const file of caFiles) configured.push(...(await anchorsOf(file)));
    const typed = pins.map(
      (pin): TrustedPin => ({ pin, label: `the configured pin ${pin}`, origin: 'configured', name: null }),
    );
    return { pins: [...shipped.map(pinOf), ...typed], anchors: [...shipped, ...configured], publicRoots };
  };
}

function pinOf({ certificate, label, origin }: TrustAnchor): TrustedPin {
  return { pin: certificate.pin, label, origin, name: certificate.subject };
}

/** @throws {Error} if the file does not belong to this version of ftm-watch */
async function readShipped(): Promise<readonly TrustAnchor[]> {
  const certificates = await readCertificates(SHIPPED_AUTHORITIES);
  const anchors = certificates.map((certificate): TrustAnchor => {
    const label = SHIPPED_PINS.find(({ pin }) => pin === certificate.pin)?.label;
    if (label === undefined)
      throw new Error(
        `Cannot trust "${SHIPPED_AUTHORITIES}": it contains the key ${certificate.pin}, which is not one ` +
          'of the shipped pins',
      );
    return { certificate, label, origin: 'shipped' };
  });
  const missing = SHIPPED_PINS.find(({ pin }) => !certificates.some((certificate) => certificate.pin === pin));
  if (missing !== undefined)
    throw new Error(
      `Cannot trust "${SHIPPED_AUTHORITIES}": expected it to contain the certificate of ${missing.label}`,
    );
  return anchors;
}

async function readCaFile(file: string): Promise<readonly TrustAnchor[]> {
  const certificates = await readCertificates(file);
  const weak = certificates.find(({ key }) => !isStrongKey(key));
  if (weak !== undefined) {
    const name = formatDistinguishedName(weak.subject);
    throw new Error(
      `Cannot trust "${name}" in "${file}": its key is ${weak.key}, ` +
        'expected RSA with 2048 to 8192 bits or an elliptic curve',
    );
  }
  return certificates.map((certificate) => ({
    certificate,
    label: `${shortName(certificate.subject) ?? formatDistinguishedName(certificate.subject)} in ${basename(file)}`,
    origin: 'configured',
  }));
}

async function readCertificates(file: string): Promise<readonly Certificate[]> {
  const ders = readPem(await readText(file, 'certificates from'));
  if (ders.length === 0)
    throw new Error(`Cannot read certificates from "${file}": expected PEM, "-----BEGIN CERTIFICATE-----"`);
  return ders.map((der, index) => {
    const certificate = parseCertificate(der);
    if (certificate === null)
      throw new Error(
        `Cannot read certificate ${String(index + 1)} in "${file}": expected the base64 text of a DER certificate`,
      );
    return certificate;
  });
}

/** Only the subject is parsed until the rest is needed. */
interface Root {
  readonly subjectKey: string;
  readonly certificate: () => Certificate | null;
}

/**
 * This machine's certificate store is never used, because a company root in it would hide an inspecting proxy. All
 * subjects are parsed on first use, which takes a few milliseconds. Parsing a whole certificate takes three times as
 * long and is needed only for a few roots.
 */
export function createPublicRoots(pems: readonly string[] = rootCertificates): PublicRoots {
  const roots = once(() => pems.flatMap(readPem).flatMap(rootOf));
  const bySubject = once(() => Map.groupBy(roots(), ({ subjectKey }) => subjectKey));
  const organizations = once(() => organizationsOf(certificatesOf(roots())));
  return {
    bySubject: (name: DistinguishedName) => certificatesOf(bySubject().get(distinguishedNameKey(name)) ?? []),
    hasOrganization: (organization) => organizations().has(organization),
  };
}

function rootOf(der: Uint8Array): readonly Root[] {
  const subject = parseSubject(der);
  if (subject === null) return [];
  return [{ subjectKey: distinguishedNameKey(subject), certificate: once(() => parseCertificate(der)) }];
}

function certificatesOf(roots: readonly Root[]): readonly Certificate[] {
  return roots.flatMap(({ certificate }) => certificate() ?? []);
}

function organizationsOf(roots: readonly Certificate[]): ReadonlySet<string> {
  const names = roots.flatMap(({ subject }) => attributeValues(subject, 'O'));
  return new Set([...names, ...ISSUING_ORGANIZATIONS.map(({ name }) => name)].map(organizationKey));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

interface IssuingOrganization {
  readonly name: string;
  readonly source: string;
}

/**
 * Organizations of public intermediate authorities that do not appear in any of Mozilla's roots. The list is used for
 * servers that do not send their intermediate certificate. Only authorities that sign certificates for many servers are
 * listed. For a complete list, see CCADB's report of intermediate certificates (https://www.ccadb.org/resources).
 */
const ISSUING_ORGANIZATIONS: readonly IssuingOrganization[] = [
  { name: "Let's Encrypt", source: 'https://letsencrypt.org/certificates/' },
  { name: 'Google Trust Services', source: 'https://pki.goog/repository/' },
  { name: 'ZeroSSL', source: 'https://help.zerossl.com, intermediates below USERTrust' },
  { name: 'Entrust, Inc.', source: 'https://www.entrust.com/resources/tools/root-ca, no longer among the roots' },
  { name: 'Entrust Limited', source: 'https://www.entrust.com, intermediates below Sectigo and SSL.com' },
  { name: 'SSL Corp', source: 'https://www.ssl.com/repository/' },
  { name: 'GEANT Vereniging', source: 'https://wiki.geant.org/display/TCSNT, below USERTrust' },
  { name: 'Internet2', source: 'https://www.incommon.org/certificates/repository/, below USERTrust' },
  { name: 'Gandi', source: 'https://docs.gandi.net, Gandi RSA Domain Validation, below USERTrust' },
  { name: 'Gandi SAS', source: 'https://docs.gandi.net' },
  { name: 'cPanel, LLC', source: 'https://docs.cpanel.net, AutoSSL, below Sectigo' },
  { name: 'cPanel, Inc.', source: 'https://docs.cpanel.net, AutoSSL, below COMODO' },
  { name: 'Corporation Service Company', source: 'https://www.cscdbs.com, below USERTrust' },
  { name: 'Network Solutions L.L.C.', source: 'https://www.networksolutions.com, below USERTrust' },
  { name: 'Apple Inc.', source: 'https://www.apple.com/certificateauthority/public/' },
  { name: 'Cloudflare, Inc.', source: 'https://developers.cloudflare.com/ssl/reference/certificate-authorities/' },
  { name: 'Thawte, Inc.', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'GeoTrust Inc.', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'Cybertrust, Inc', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'Actalis S.p.A.', source: 'https://www.actalis.com/area-download; the root has its register number there' },
  { name: 'Buypass AS', source: 'https://www.buypass.com/security/buypass-root-certificates' },
  { name: 'Firmaprofesional SA', source: 'https://www.firmaprofesional.com/cps; the root has no organization' },
  { name: 'Viking Cloud, Inc.', source: 'https://certs.securetrust.com, Trustwave before' },
  { name: 'Trustwave Holdings, Inc.', source: 'https://certs.securetrust.com' },
  { name: 'WoTrus CA Limited', source: 'https://www.wotrus.com, below USERTrust and DigiCert' },
  { name: 'Trust Provider B.V.', source: 'https://www.networking4all.com, below DigiCert' },
];

const SHIPPED_AUTHORITIES: string = fileURLToPath(new URL('../../config/fortinet-authorities.pem', import.meta.url));

interface ShippedPin {
  readonly pin: string;
  /** The authority's name in FortiOS, and its CN. */
  readonly label: string;
  readonly source: string;
}

/**
 * The pins are in the code, so that editing a file cannot add an authority. Each pin was calculated from certificates
 * that were published in at least two independent places. None of the authorities is in a public root store.
 */
export const SHIPPED_PINS: readonly ShippedPin[] = [
  {
    // SHA-256 40:AF:CC:2D:…:FF:54:05, MD5 86:40:5C:F4:C2:A6:0B:96:82:9E:5F:E7:4F:D9:51:22
    pin: 'sha256//QfV4N3k5oxQR5RHtW/rbn/HrHgKpMLN0DEaeXY5yPg=',
    label: 'Fortinet_CA (fortinet-ca2)',
    source:
      'PEM as FortiManager returns it for /cli/global/system/certificate/ca/Fortinet_CA, with the MD5 that its "get ' +
      'certinfo" prints',
  },
  {
    // SHA-256 B2:98:C8:6C:…:6B:A0:1F; signed by fortinet-ca2
    pin: 'sha256/3T8EqFBjpRSkxQNPFagjUNeEUghXOEYp904ROlJM8yo=',
    label: 'Fortinet_Sub_CA (fortinet-subca2001)',
    source:
      'PEM from the Fortinet demo appliance and from FortiManager documentation; its signature verifies under ' +
      'fortinet-ca2',
  },
  {
    // SHA-256 32:AD:1E:5B:…:19:D0:C0, serial DAF636B443D4A58B. No higher authority confirms this certificate, so
    // compare it with the one on your own unit.
    pin: 'sha256/Kn69GCKg9OZXkMA8TmA+fWa3o34QDMKjuZUKOwfXeEI=',
    label: 'Fortinet_CA_Backup (support)',
    source: 'PEM from the Fortinet demo appliance; the same serial is shipped in FortiClient EMS',
  },
];

const baselineCertificate = z.string().transform((pem, context): Certificate => {
  const [der, ...more] = readPem(pem);
  const parsed = der === undefined || more.length > 0 ? null : parseCertificate(der);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'expected exactly one certificate in PEM format' });
  return z.NEVER;
});

const baselineTarget = z.strictObject({
  learnedAt: z.iso.datetime(),
  protocol: z.string().max(32).nullable(),
  leaves: z.array(baselineCertificate).min(1).max(64),
  authorities: z.array(baselineCertificate).max(64),
  // Versions before 0.2 did not store accepted fingerprints, so the field can be missing.
  accepted: z.array(z.string().max(200)).max(64).default([]),
});

const pinnedCertificate = z.strictObject({
  fingerprint: z.string().max(200),
  learnedAt: z.iso.datetime(),
  seenBy: z.string().max(200),
});

const baselineContent = z.strictObject({
  version: z.literal(1),
  targets: z.record(z.string().max(300), baselineTarget),
  // Versions before 0.2 did not store certificates.
  certificates: z.record(z.string().max(300), pinnedCertificate).default({}),
});

/** By target (`host:port`). */
export interface LearnedTrust {
  readonly baselines: ReadonlyMap<string, Baseline>;
  readonly certificates: ReadonlyMap<string, PinnedCertificate>;
}

/**
 * @returns nothing if the file does not exist
 * @throws {Error} if the file cannot be read or is not in the expected format
 */
export async function readLearnedTrust(file: string): Promise<LearnedTrust> {
  const text = await readIfThere(file);
  if (text === null) return { baselines: new Map(), certificates: new Map() };
  const parsed = baselineContent.safeParse(parseJson(text, file));
  if (!parsed.success) {
    throw new Error(
      `Cannot use the learned trust in "${file}": ${issueTexts(parsed.error).slice(0, 5).join('; ')}. Delete ` +
        'the file, then learn the chain again with "ftm-watch trust learn"',
    );
  }
  const { targets, certificates } = parsed.data;
  return {
    baselines: new Map(
      Object.entries(targets).map(([name, { learnedAt, ...learned }]) => [
        name,
        { target: name, learnedAt: Date.parse(learnedAt), ...learned },
      ]),
    ),
    certificates: new Map(
      Object.entries(certificates).map(([name, pinned]) => [
        name,
        { ...pinned, learnedAt: Date.parse(pinned.learnedAt) },
      ]),
    ),
  };
}

/**
 * Keeps everything else that was learned. The file is replaced as a whole.
 * @throws {Error} if the file cannot be written, or if an existing file cannot be read
 */
export async function writeBaseline(file: string, baseline: Baseline): Promise<void> {
  const { baselines, certificates } = await readLearnedTrust(file);
  await writeLearnedTrust(file, { baselines: new Map([...baselines, [baseline.target, baseline]]), certificates });
}

/**
 * Keeps everything else that was learned. The file is replaced as a whole.
 * @throws {Error} if the file cannot be written, or if an existing file cannot be read
 */
export async function writePinnedCertificate(file: string, target: string, pinned: PinnedCertificate): Promise<void> {
  const { baselines, certificates } = await readLearnedTrust(file);
  await writeLearnedTrust(file, { baselines, certificates: new Map([...certificates, [target, pinned]]) });
}

async function writeLearnedTrust(file: string, { baselines, certificates }: LearnedTrust): Promise<void> {
  const targets = Object.fromEntries([...baselines].map(([name, learned]) => [name, serialise(learned)]));
  const pinned = Object.fromEntries(
    [...certificates].map(([name, one]) => [name, { ...one, learnedAt: new Date(one.learnedAt).toISOString() }]),
  );
  // Versions before 0.2 refuse a file with an unknown key.
  const content = { version: 1, targets, ...(certificates.size === 0 ? {} : { certificates: pinned }) };
  try {
    makeFolder(dirname(file));
    await replaceFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o644, flush: true });
  } catch (error) {
    throw new Error(`Cannot write the learned trust to "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function serialise({ learnedAt, protocol, leaves, authorities, accepted }: Baseline): z.input<typeof baselineTarget> {
  return {
    learnedAt: new Date(learnedAt).toISOString(),
    protocol,
    leaves: leaves.map(certificatePem),
    authorities: authorities.map(certificatePem),
    accepted: [...accepted],
  };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `Cannot parse the learned trust in "${file}": ${messageOf(error)}. Delete the file, then learn ` +
        'the chain again with "ftm-watch trust learn"',
      {
        cause: error,
      },
    );
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error(`Cannot read the learned trust in "${file}": ${messageOf(error)}`, { cause: error });
  }
}
