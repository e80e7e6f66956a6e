import { describe, expect, test } from 'vitest';
import { headline } from '../../../../src/checks/headline.ts';
import { type ChainCase, openCase, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { decide, type Decision, gatherFacts } from '../../../../src/checks/tls-genuine/decide.ts';
import { signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { shortName } from '../../../../src/tls/names.ts';
import { sentChain } from '../../../../src/tls/sent-chain.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { decisions } from '../../../../tools/generate/interception-tables.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, failed, handshake } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PINNED, PUBLIC, reference } from '../../../support/certificates/verdict-rows.ts';
import { CONTEXT, judgedRound } from '../../../support/checks/judged-round.ts';
import { impactOf } from '../../../../src/engine/model.ts';
import { sampleOf } from '../../../support/random/samples.ts';

const w = await createCast();
const { genuine, copied, corporate, now } = w;
const checks = createSignatureChecks();

const expiredSub = await createIdentity({
  name: 'C=US, O=Fortinet, OU=Certificate Authority, CN=fortinet-subca2009',
  authority: true,
  issuer: genuine.root,
  notBefore: new Date(now - 900 * DAY_MS),
  notAfter: new Date(now - DAY_MS),
});
const byExpiredSub = await w.leaf(expiredSub);
const notYetByExpiredSub = await w.leaf(expiredSub, { notBefore: new Date(now + DAY_MS) });
const incompletePublic = await w.leaf(
  await createIdentity({ name: 'C=US, O=Public Trust, CN=R99', authority: true, issuer: w.public.sub }),
);

/** Every kind of chain, with the authorities as they are sent. */
const CHAINS: readonly (readonly Identity[])[] = [
  [w.server, genuine.sub],
  [w.renewed, genuine.sub],
  [w.misnamed, genuine.sub],
  [w.device, genuine.sub],
  [await w.leaf(genuine.older)],
  [await w.leaf(genuine.sub, { key: 'RSA-1024' }), genuine.sub],
  [byExpiredSub, expiredSub, genuine.root],
  [notYetByExpiredSub, expiredSub, genuine.root],
  [await w.leaf(copied.sub), genuine.sub, genuine.root],
  [await w.leaf(copied.root), copied.root],
  [w.publicLeaf, w.public.sub],
  [await w.leafFor('globalftm.example.net', w.public.sub), w.public.sub],
  [incompletePublic],
  [w.publicServer, w.public.sub],
  [w.publicServer],
  [w.byNewSub, w.newSub],
  [w.byFortigate, w.fortigate],
  [w.byCorporateSub, corporate.sub],
  [await w.leafFor('globalftm.example.net', corporate.root), corporate.root],
  [await createIdentity({ name: 'O=Fortinet, OU=FortiGate, CN=FG100FTK20012345', issuer: w.ownRoot }), w.ownRoot],
  [w.selfSigned],
];
const PROFILES: readonly Partial<TlsEvidence>[] = [
  {},
  { ...PUBLIC, target: 'fortitokenmobile.fortinet.com:443', serverName: 'fortitokenmobile.fortinet.com' },
  PUBLIC,
  PINNED,
];
const LEARNED: readonly Partial<TlsEvidence>[] = [
  {},
  { baseline: w.baseline(w.otherNode, genuine.sub) },
  { baseline: w.baseline(w.server, genuine.sub, genuine.root) },
  { baseline: w.baseline(w.publicServer, w.public.sub) },
];
const AROUND: readonly Partial<TlsEvidence>[] = [
  {},
  { traces: ['x-bluecoat-via'] },
  { references: reference('tls-version', w.server, genuine.sub) },
  { references: reference('resolver', w.publicServer, w.public.sub) },
  { controls: [w.cleanControl] },
  { controls: [await w.control('www.iana.org', corporate.sub)] },
];
const ENDS: readonly (readonly [ahead: number, outcome: (chain: readonly Identity[]) => TlsEvidence['outcome']])[] = [
  [0, (chain) => handshake({}, ...chain)],
  [0, (chain) => handshake({ protocol: 'TLSv1.2', refusal: 'PATH_LENGTH_EXCEEDED' }, ...chain)],
  [0, (chain) => failed({ reason: 'closed', chain: chainOf(...chain) })],
  [500 * DAY_MS, (chain) => handshake({}, ...chain)],
  [-100 * DAY_MS, (chain) => handshake({}, ...chain)],
];

/** More authorities of one name than are verified for one chain. */
const namesakes = await Promise.all(
  Array.from({ length: 65 }, () => createIdentity({ name: 'CN=Namesake', authority: true })),
);
const stranger = await createIdentity({ name: 'CN=Namesake', authority: true });
const unfinished = handshake({}, await w.leaf(stranger), ...namesakes);

function allEvidence(): readonly TlsEvidence[] {
  const circumstances = PROFILES.flatMap((profile) =>
    LEARNED.flatMap((learned) => AROUND.map((around) => ({ ...profile, ...learned, ...around }))),
  );
  const ends = CHAINS.flatMap((chain) =>
    ENDS.map(([ahead, outcome]) => ({ now: now + ahead, outcome: outcome(chain) })),
  );
  const judged = circumstances.flatMap((seen) => ends.map((end) => w.evidence({ ...seen, ...end })));
  return [...judged, w.evidence({ outcome: unfinished })];
}

/** All texts that people read about a verdict, except for the evidence itself. */
function textsOf(evidence: TlsEvidence): {
  readonly opened: ChainCase;
  readonly row: string;
  readonly texts: string[];
} {
  const sent = sentChain(evidence.outcome.chain);
  if (sent === null) throw new Error('Cannot judge a chain without certificates');
  const opened = openCase(sent, evidence, checks);
  const { summary, wouldSettle, findings } = judgeTls(evidence, checks);
  const { causes } = diagnose(judgedRound(['tls-genuine', findings]), CONTEXT);
  const texts = causes.flatMap((cause) => [cause.summary, cause.impact, headline(cause), ...cause.remedy]);
  return {
    opened,
    row: rowOf(decide(gatherFacts(opened, signalsOf(opened)))),
    texts: [summary, wouldSettle ?? '', ...texts],
  };
}

function rowOf({ origin, reason }: Decision): string {
  return `${origin}, ${reason}`;
}

/** Whether a key confirms the authority that issued the certificate. */
function isConfirmed({ chainTrust: { kind } }: ChainCase): boolean {
  return kind === 'trusted' || kind === 'public' || kind === 'vendor' || kind === 'weak';
}

function isPublic({ chainTrust, claim }: ChainCase): boolean {
  return chainTrust.kind === 'public' || claim === 'public';
}

/** What must be true of the chain if a text contains a phrase. The phrase's first group is compared, if there is one. */
const RULES: readonly (readonly [phrase: RegExp, holds: (opened: ChainCase, named: string) => boolean])[] = [
  [
    /"([^"]+)", which is not in the product catalogue/u,
    ({ claim, chainTrust, leaf }, named) =>
      claim === 'other' && chainTrust.kind !== 'trusted' && named === shortName(leaf.issuer),
  ],
  [/re-signs certificates/u, (opened) => !isConfirmed(opened)],
  [/a public authority|the public authority|public authorities/u, isPublic],
  [/Inspecting devices do not use public authorities/u, ({ chainTrust }) => chainTrust.kind === 'public'],
  [/a Fortinet authority, which/u, ({ chainTrust }) => chainTrust.kind === 'vendor'],
  [
    new RegExp(`^${impactOf('none', CONTEXT.activation)}`, 'u'),
    ({ accepted, chainTrust }) => accepted !== null || chainTrust.kind === 'vendor',
  ],
  [/inspecting device uses its name/u, (opened) => !isConfirmed(opened) && opened.claim === 'vendor'],
  [
    /was issued by a trusted authority|genuine certificate is received|clients (?:may )?reject/u,
    (opened) => opened.accepted !== null,
  ],
  [/unknown authority|unknown key/u, (opened) => !isConfirmed(opened)],
  [/was not sent/u, ({ chainTrust }) => chainTrust.kind === 'incomplete'],
  [/does not send its whole chain/u, ({ gap }) => gap !== null],
  [/^The certificate of \S+ .*(?:has expired|is not yet valid)/u, ({ leaf, outdated }) => outdated === leaf],
  [
    /^The intermediate certificate (\S+) of \S+ .*(?:has expired|is not yet valid)/u,
    ({ leaf, outdated }, named) => outdated !== null && outdated !== leaf && named === shortName(outdated.subject),
  ],
  [/has expired/u, ({ outdated, evidence }) => outdated !== null && outdated.notAfter < evidence.now],
  [/is not yet valid/u, ({ outdated, evidence }) => outdated !== null && outdated.notBefore > evidence.now],
  [/is for another name/u, ({ identity }) => identity === 'other'],
  [/certificate is a device's|factory certificate/u, ({ identity }) => identity === 'device'],
];

describe('judgeTls() and the cause that follows', () => {
  const seen = sampleOf(allEvidence(), 4).map(textsOf);

  test('contradict nothing in the chain, for all verdicts', () => {
    const faults = seen.flatMap(({ opened, row, texts }) =>
      RULES.flatMap(([phrase, holds]) =>
        texts.flatMap((text) => {
          const found = phrase.exec(text);
          return found === null || holds(opened, found[1] ?? '') ? [] : [`${row}, ${opened.chainTrust.kind}: ${text}`];
        }),
      ),
    );
    expect([...new Set(faults)]).toEqual([]);
  });

  test('are compared for every origin and reason', () => {
    const rows = new Set(seen.map(({ row }) => row));
    expect(
      decisions()
        .map(rowOf)
        .filter((row) => !rows.has(row)),
    ).toEqual([]);
  });

  test('use each phrase that is compared', () => {
    const all = [...new Set(seen.flatMap(({ texts }) => texts))];
    const unused = RULES.map(([phrase]) => phrase).filter((phrase) => !all.some((text) => phrase.test(text)));
    expect(unused).toEqual([]);
  });
});
