import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { renderTrust, trustLearn } from '../../src/cli/run-trust.ts';
import { isFaultId } from '../../src/checks/registry.ts';
import { loadFirmwareFacts } from '../../src/connectors/firmware-facts.ts';
import { loadSignatures } from '../../src/logs/signatures.ts';
import type { TlsEvidence } from '../../src/checks/tls-genuine/chain-case.ts';
import { createPublicRoots, createTrustLoader, readLearnedTrust } from '../../src/trust/load-trust.ts';
import { loadProducts } from '../../src/trust/products.ts';
import { anchorOf, certificateOf, failed, pinOf } from '../support/certificates/chains.ts';
import { TARGET } from '../support/certificates/interception-world.ts';
import { createCast } from '../support/certificates/verdict-cast.ts';
import { sees } from '../support/certificates/verdict-rows.ts';
import { expectRecorded } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-trust-'));
afterAll(() => rmSync(folder, { recursive: true }));

const w = await createCast();
const clock = { now: () => w.now, elapsed: () => 0, after: () => () => {} };
const company = sees(w.byCorporateSub, w.corporate.sub);

type Options = Parameters<typeof trustLearn>[0];

/** What is seen on the way, and how `trust learn` is run. */
const LEARNED: Readonly<Record<string, readonly [readonly Partial<TlsEvidence>[], Partial<Options>]>> = {
  'a genuine chain': [[{}], {}],
  'and nobody can be asked': [[{}], { ask: null }],
  'and the answer is no': [[{}], { ask: () => Promise.resolve('n') }],
  'a chain that nothing confirms': [[company], { yes: true }],
  'with its fingerprint': [[company], { yes: true, fingerprints: [w.corporate.sub.fingerprint] }],
  'with the fingerprint of something else': [[{}], { yes: true, fingerprints: [w.corporate.root.fingerprint] }],
  'from a capture': [[{}], { yes: true, needsFingerprint: true }],
  intercepted: [[sees(w.byFortigate, w.fortigate)], { yes: true }],
  blocked: [[{ outcome: failed({ reason: 'reset' }) }], { yes: true }],
  nothing: [[], { yes: true }],
};

async function learned(seen: readonly Partial<TlsEvidence>[], more: Partial<Options>): Promise<string> {
  const texts: string[] = [];
  const code = await trustLearn({
    target: TARGET,
    capture: () => Promise.resolve(seen.map((one) => ({ address: '192.0.2.1', evidence: w.evidence(one) }))),
    ask: (question) => {
      texts.push(`${question}\n`);
      return Promise.resolve('y');
    },
    yes: false,
    fingerprints: [],
    save: () => Promise.resolve(),
    output: { write: (text) => texts.push(text) },
    clock,
    signal: new AbortController().signal,
    ...more,
  });
  return `exit code ${String(code)}\n${texts.join('')}`;
}

const anchors = [anchorOf(w.ownRoot, 'configured')];
const unconfirmed = certificateOf(w.corporate.sub);
const learnedChain = w.baseline(w.byCorporateSub, w.corporate.sub);
const OVERVIEWS: Readonly<Record<string, Partial<Parameters<typeof renderTrust>[0]>>> = {
  'nothing is learned': {},
  'a chain is learned': { baseline: w.baseline(w.server, w.genuine.sub), trust: { ...w.trust, anchors } },
  'a learned chain is not used': { refusedBaseline: { baseline: learnedChain, unconfirmed } },
  'the profile is public': { profile: 'public' },
  'the profile is pinned': { profile: 'pinned', trust: { ...w.trust, pins: [pinOf(w.ownLeaf, 'configured')] } },
};

function overview(more: Partial<Parameters<typeof renderTrust>[0]>): string {
  const plain = { profile: 'fortinet', trust: w.trust, baseline: null, refusedBaseline: null } as const;
  return renderTrust({ target: TARGET, baselineFile: 'trust.json', ...plain, ...more });
}

/** Replaces what is different in each run. */
function steady(text: string): string {
  return text
    .replaceAll(folder, '/folder')
    .replaceAll(/(?:[0-9A-F]{2}:){15,}[0-9A-F]{2}/gu, 'FINGERPRINT')
    .replaceAll(/sha256\/[\w+/=]{43,}/gu, 'PIN')
    .replaceAll(/\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z| UTC)?)?/gu, 'DATE');
}

test('what "trust learn" and "trust show" say', async () => {
  const runs = Object.entries(LEARNED).map(async ([name, [seen, more]]) => {
    return [`trust learn: ${name}`, steady(await learned(seen, more))] as const;
  });
  const shown = Object.entries(OVERVIEWS).map(
    ([name, more]) => [`trust show: ${name}`, steady(overview(more))] as const,
  );
  await expectRecorded('trust', Object.fromEntries([...(await Promise.all(runs)), ...shown]));
});

type Load = (file: string) => Promise<unknown>;

const authorities: Load = (file) => createTrustLoader(createPublicRoots([]))({ pins: [], caFiles: [file] });
const baselines: Load = readLearnedTrust;
const signatures: Load = (file) => loadSignatures([file], isFaultId);
const products: Load = (file) => loadProducts([file]);
const firmware: Load = (file) => loadFirmwareFacts([file]);

const product = (rest: string): string => `products: [{ id: a, name: A, source: s, ${rest} }]`;
const signature = (rest: string): string =>
  `signatures: [{ id: a-b, severity: warning, summary: s, remedy: [r], source: s, ${rest} }]`;

/** Files that people write, and that cannot be used. */
const FILES: readonly (readonly [name: string, load: Load, text: string])[] = [
  ['no certificate', authorities, 'hello\n'],
  ['half a certificate', authorities, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ['text in a certificate', authorities, '-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n'],
  ['half a learned chain', baselines, '{'],
  ['another file', baselines, '{"version":1}'],
  ['no signatures', signatures, 'a: 1\n'],
  ['a text as signatures', signatures, 'hello\n'],
  ['a bad id', signatures, 'signatures: [{ id: A_B }]\n'],
  ['a short text', signatures, signature('texts: [abc], cause: polling-failing')],
  ['no text', signatures, signature('texts: [], cause: polling-failing')],
  ['bad event ids', signatures, signature("texts: [abcdef], cause: polling-failing, eventIds: ['1'], logIds: ['1']")],
  ['an unknown cause', signatures, signature('texts: [abcdef], cause: none')],
  ['no fields', signatures, signature('fields: {}, cause: tls-intercepted')],
  ['no products', products, 'a: 1\n'],
  ['a product that nothing recognises', products, product('issuers: []')],
  ['bad attributes', products, product('issuers: [{ C-N: a }, {}]')],
  ['a bad product id', products, product('pages: [abc]').replace('id: a', 'id: A_B')],
  ['a pattern that matches everything', products, product("pages: ['*']")],
  ['regular expressions', products, product("pages: ['a(?=b)', 'Acme CA.*']")],
  ['no facts', firmware, 'a: 1\n'],
  ['a fact without a version', firmware, 'facts: [{ id: a }]\n'],
];

test('what is said about files that cannot be used', async () => {
  const told = FILES.map(async ([name, load, text], index) => {
    const file = join(folder, `file-${String(index)}`);
    writeFileSync(file, text);
    const said = await load(file).then(
      (value) => `used: ${JSON.stringify(value)?.slice(0, 300) ?? ''}`,
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    return [name, steady(said)] as const;
  });
  await expectRecorded('files', Object.fromEntries(await Promise.all(told)));
});
