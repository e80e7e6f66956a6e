import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatDistinguishedName } from '../../../src/tls/names.ts';
import { createSignatureChecks } from '../../../src/tls/chain.ts';
import { trustUnder } from '../../../src/tls/trust.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createTrustLoader, createPublicRoots, SHIPPED_PINS } from '../../../src/trust/load-trust.ts';
import { readPem } from '../../../src/tls/pem.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';

const roots = createPublicRoots();
const state = { folder: '' };
beforeAll(async () => {
  state.folder = await mkdtemp(join(tmpdir(), 'ftm-watch-trust-'));
});
afterAll(() => rm(state.folder, { recursive: true }));

async function file(content: string): Promise<string> {
  const path = join(state.folder, `${createHash('sha256').update(content).digest('hex').slice(0, 12)}.pem`);
  await writeFile(path, content);
  return path;
}

describe('the shipped authorities', () => {
  test.each([
    ['fortinet-ca2', '40:AF:CC:2D:08:D5:E7:51:57:FE:E3:EB:EF:73:E0:A9:0E:04:00:56:3D:6F:94:0C:5E:BE:E8:0D:D4:FF:54:05'],
    [
      'fortinet-subca2001',
      'B2:98:C8:6C:AF:28:CD:FA:C8:25:00:44:5B:F1:96:B3:2C:D8:29:41:BE:32:4B:29:1B:8D:ED:BE:71:6B:A0:1F',
    ],
    ['support', '32:AD:1E:5B:C4:C7:C2:73:56:61:B9:28:20:5E:9D:D1:53:B4:B3:D1:25:FB:CE:6F:52:5B:3C:8E:81:19:D0:C0'],
  ])('have %s with its published fingerprint', async (name, fingerprint) => {
    const { anchors } = await createTrustLoader(roots)({ pins: [], caFiles: [] });
    const found = anchors.find(({ certificate }) =>
      formatDistinguishedName(certificate.subject).includes(`CN=${name}, `),
    );
    expect(found?.certificate.fingerprint).toBe(fingerprint);
  });

  test('have the pins of their certificates', async () => {
    const ders = readPem(await readFile('config/fortinet-authorities.pem', 'utf8'));
    const pins = ders.map((der) => {
      const spki = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
      return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
    });
    expect(pins.toSorted()).toEqual(SHIPPED_PINS.map(({ pin }) => pin).toSorted());
  });

  test('sign as they should: the root itself and the sub-authority', async () => {
    const { anchors } = await createTrustLoader(roots)({ pins: [], caFiles: [] });
    const [root, sub, older] = anchors.map(({ certificate }) => certificate);
    const checks = createSignatureChecks().forOneChain();
    const signs: typeof checks.signs = (issuer, subject) => checks.signs(issuer, subject);
    if (root === undefined || sub === undefined || older === undefined) throw new Error('Expected three authorities');
    expect([signs(root, root), signs(root, sub), signs(older, older), signs(older, sub)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('a trust loader', () => {
  test('adds pins and CA files to the shipped ones, and keeps them apart by profile', async () => {
    const own = await createIdentity({ name: 'O=Branch, CN=Branch Root', authority: true });
    const trust = await createTrustLoader(roots)({ pins: ['sha256/abc='], caFiles: [await file(own.pem)] });
    expect(trust.pins.map(({ origin }) => origin)).toEqual(['shipped', 'shipped', 'shipped', 'configured']);
    expect(trust.anchors.at(-1)).toMatchObject({ origin: 'configured', certificate: { pin: own.pin } });
    expect(trustUnder('pinned', trust).pins.map(({ pin }) => pin)).toEqual(['sha256/abc=']);
    expect(trustUnder('public', trust).anchors).toHaveLength(1);
    expect(trustUnder('fortinet', trust)).toBe(trust);
  });

  test('takes every certificate of a file', async () => {
    const both = [
      await createIdentity({ name: 'CN=A', authority: true }),
      await createIdentity({ name: 'CN=B', authority: true }),
    ];
    const trust = await createTrustLoader(roots)({
      pins: [],
      caFiles: [await file(both.map(({ pem }) => pem).join('# and\n'))],
    });
    expect(trust.anchors.slice(3).map(({ certificate }) => certificate.pin)).toEqual(both.map(({ pin }) => pin));
  });

  test('refuses a key that nobody should trust', async () => {
    const weak = await createIdentity({ name: 'CN=Weak', authority: true, key: 'RSA-1024' });
    await expect(createTrustLoader(roots)({ pins: [], caFiles: [await file(weak.pem)] })).rejects.toThrow(
      /CN=Weak.*its key is RSA-1024/u,
    );
  });

  test.each([
    ['nothing', '', 'expected PEM'],
    ['no certificate', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'expected PEM'],
    ['garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'Cannot read certificate 1 in'],
    [
      'a damaged certificate behind another one',
      `${String(rootCertificates[0])}\n-----BEGIN CERTIFICATE-----\nM!II\n-----END CERTIFICATE-----\n`,
      'Cannot read certificate 2 in',
    ],
  ])('refuses a file with %s', async (_, content, message) => {
    await expect(createTrustLoader(roots)({ pins: [], caFiles: [await file(content)] })).rejects.toThrow(message);
  });

  test('says which file is missing', async () => {
    await expect(createTrustLoader(roots)({ pins: [], caFiles: ['/nowhere/ca.pem'] })).rejects.toThrow(
      'Cannot read certificates from "/nowhere/ca.pem"',
    );
  });
});

describe('createPublicRoots()', () => {
  test('finds every root that comes with Node by its subject', () => {
    const certificates = rootCertificates.flatMap(readPem).flatMap((der) => parseCertificate(der) ?? []);
    expect(certificates.length).toBe(rootCertificates.length);
    const missing = certificates.filter(
      ({ subject, pin }) => !roots.bySubject(subject).some((root) => root.pin === pin),
    );
    expect(missing).toEqual([]);
  });

  test('finds nothing for a name that no root has', () => {
    expect(roots.bySubject({ attributes: [{ type: 'CN', value: 'Acme Root' }] })).toEqual([]);
    expect(roots.bySubject({ attributes: [] })).toEqual([]);
  });
});
