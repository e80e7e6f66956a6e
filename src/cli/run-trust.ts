import { actualOf } from '../engine/model.ts';
import type { CaptureResult } from '../capture/judge-capture.ts';
import { authority, hostOf } from '../core/addresses.ts';
import type { Certificate } from '../core/certificate.ts';
import { chainKey, sentChain } from '../tls/sent-chain.ts';
import type { Needs } from '../config/load.ts';
import { createInstruments, type Instruments } from '../round/instruments.ts';
import { observeRound, type RoundProgress } from '../round/round.ts';
import { controlChainsOf, tlsEvidence } from '../checks/tls-genuine/judge-path.ts';
import { trueTime } from '../round/facts.ts';
import { writeBaseline, writePinnedCertificate, SHIPPED_PINS } from '../trust/load-trust.ts';
import { compareLeaf, type LeafComparison, otherNetworks } from '../checks/outside.ts';
import type { OutsideMeasurement, OutsideView } from '../core/outside.ts';
import { dayText } from '../core/time-text.ts';
import { askedOutside } from './examine.ts';
import { capturesOf, neededToJudge, certificateLines } from './capture.ts';
import { configOf, createProgressLine, type Invocation, type Terminal, type Streams } from './terminal.ts';
import {
  type Baseline,
  learnBaseline,
  type PinnedCertificate,
  type Trust,
  type TrustProfile,
  trustUnder,
} from '../tls/trust.ts';
import {
  type RefusedBaseline,
  type TlsEvidence,
  type TlsJudgement,
  type Verdict,
  chainTrustOptions,
  unconfirmedEnd,
} from '../checks/tls-genuine/chain-case.ts';
import { createSignatureChecks } from '../tls/chain.ts';
import { judgeTls } from '../checks/tls-genuine/verdict.ts';
import { counted, visibleText } from '../core/visible-text.ts';

/** Also includes the proxies' passwords. */
const neededToCapture: Needs = (key) => neededToJudge(key) || /^(?:licenseServer|services)\./u.test(key);

export interface LearnOptions {
  readonly yes?: boolean;
  readonly fingerprint?: readonly string[];
  /** If there are no captures, chains are learned from a new round. */
  readonly capture?: readonly string[];
  /** Learns the certificate that other networks receive as well. */
  readonly outside?: boolean;
}

export async function runTrustLearn(
  { yes = false, fingerprint: fingerprints = [], capture: captures = [], outside = false }: LearnOptions,
  terminal: Invocation,
): Promise<number> {
  const isCaptured = captures.length > 0;
  const config = await configOf(terminal, neededToCapture);
  const target = authority(config.licenseServer);
  const file = config.trust.baselineFile;
  if (outside) {
    const { host, serverName } = config.licenseServer;
    if (serverName !== host)
      throw new Error(
        `Cannot compare the certificate: other networks ask for "${host}", but licenseServer.serverName is ` +
          `${serverName === null ? 'null' : `"${serverName}"`}. Learn the chain on a clean path instead`,
      );
    const instruments = await createInstruments(config, terminal);
    return learnFromOutside({
      ...terminal,
      target,
      yes,
      seen: askedOutside(config, terminal, ['certificate']),
      capture: (signal) => capture(instruments, terminal, signal),
      save: (pinned) => writePinnedCertificate(file, target, pinned),
    });
  }
  return trustLearn({
    ...terminal,
    target,
    capture: async (signal) =>
      isCaptured
        ? chainsIn(await capturesOf(captures, config, terminal))
        : capture(await createInstruments(config, terminal), terminal, signal),
    yes,
    fingerprints,
    needsFingerprint: isCaptured,
    save: (baseline) => writeBaseline(file, baseline),
  });
}

export async function runTrustShow(terminal: Invocation): Promise<number> {
  const config = await configOf(terminal, neededToJudge);
  terminal.output.write(overview(await createInstruments(config, terminal)));
  return 0;
}

function overview({ config, knowledge }: Instruments): string {
  const { licenseServer, trust: settings } = config;
  const target = authority(licenseServer);
  return renderTrust({ target, ...settings, ...knowledge.of(target) });
}

function chainsIn({ connections }: CaptureResult): readonly CapturedChain[] {
  const chains = connections.flatMap(({ seen, evidenceOfChain, chain }) =>
    evidenceOfChain === null || chain === null
      ? []
      : [[chainKey(chain.certificates), { address: hostOf(seen.server), evidence: evidenceOfChain }] as const],
  );
  return [...new Map(chains).values()];
}

async function capture(
  instruments: Instruments,
  { progress }: Terminal,
  signal: AbortSignal,
): Promise<readonly CapturedChain[]> {
  const line = createProgressLine(progress);
  const wishes = {
    mailServers: Promise.resolve([]),
    codeLife: Promise.resolve(null),
    isComplained: false,
    complainedAt: null,
    onProgress: (step: RoundProgress) => line.show(step),
  };
  const round = await observeRound(instruments, wishes, signal);
  line.clear();
  const path = round.path.licenseServer;
  const now = trueTime(instruments, round);
  const surroundings = { controls: controlChainsOf(round.controls), now };
  return tlsEvidence(path, instruments.knowledge.of(path.subject), surroundings).map(({ endpoint, evidence }) => ({
    address: endpoint.address,
    evidence,
  }));
}

interface CapturedChain {
  readonly address: string;
  readonly evidence: TlsEvidence;
}

interface TrustLearnOptions extends Pick<Terminal, 'ask' | 'clock' | 'signal'>, Pick<Streams, 'output'> {
  readonly target: string;
  /** Connects to all of the target's addresses and to the control hosts in one round. */
  readonly capture: (signal: AbortSignal) => Promise<readonly CapturedChain[]>;
  readonly yes: boolean;
  readonly fingerprints: readonly string[];
  /** The user must type a fingerprint for every chain, including chains that are already confirmed. */
  readonly needsFingerprint?: boolean;
  readonly save: (baseline: Baseline) => Promise<void>;
}

const LEARN_EXIT = { learned: 0, declined: 1, refused: 2, nothingSeen: 3 } as const;

const REFUSED: readonly Verdict[] = ['intercepted', 'blocked'];

interface OutsideLearnOptions
  extends Pick<Terminal, 'ask' | 'clock' | 'signal'>,
    Pick<TrustLearnOptions, 'output' | 'target' | 'capture' | 'yes'> {
  readonly seen: Promise<OutsideView>;
  readonly save: (pinned: PinnedCertificate) => Promise<void>;
}

/**
 * Learns a certificate on a path that nobody knows to be clean: every address must present to this site what it
 * presents to other networks. Only the certificate is learned, and not its key.
 */
export async function learnFromOutside(options: OutsideLearnOptions): Promise<number> {
  const { target, clock, signal, ask } = options;
  const write = (...lines: readonly string[]): unknown =>
    options.output.write(lines.map((line) => `${line}\n`).join(''));
  const [chains, { certificate, trouble }] = await Promise.all([options.capture(signal), options.seen]);
  const judged = chains.map(judgeChain);
  write(...judged.flatMap(describeChain));
  const leaves = judged.flatMap(({ evidence }) => evidence.outcome.chain?.certificates.slice(0, 1) ?? []);
  const [leaf] = leaves;
  if (certificate === null || leaf === undefined) {
    const why = trouble ?? 'they received none';
    write(
      leaf === undefined
        ? `Nothing learned: no certificate was received from ${target}`
        : `Nothing learned: other networks received no certificate: ${why}`,
    );
    return LEARN_EXIT.nothingSeen;
  }
  write(...elsewhereLines(certificate));
  const compared = leaves.map((one) => compareLeaf(certificate, one));
  const against = judged.find(({ judgement }) => REFUSED.includes(judgement.verdict));
  const why = against === undefined ? outsideRefusal(compared) : against.judgement.summary;
  if (why !== null) {
    write(`Nothing learned: ${visibleText(why, 1000)}`);
    return LEARN_EXIT.refused;
  }
  if (!(await isConfirmed(options, 'Store this certificate, so that it counts as genuine until it is renewed?'))) {
    write(ask === null ? 'Nothing learned: cannot ask for confirmation. Use --yes to confirm' : 'Nothing learned');
    return LEARN_EXIT.declined;
  }
  const seenBy = otherNetworks(certificate.results);
  await options.save({ fingerprint: leaf.fingerprint, learnedAt: clock.now(), seenBy });
  write(`Learned the certificate ${leaf.fingerprint} for ${target}, which ${seenBy} received as well`);
  return LEARN_EXIT.learned;
}

function elsewhereLines({ results }: OutsideMeasurement<'certificate'>): readonly string[] {
  const byLeaf = [...Map.groupBy(results, ({ fingerprint }) => fingerprint).values()];
  return [
    'Other networks receive:',
    ...byLeaf.flatMap((probes) => {
      const [first] = probes;
      if (first === undefined) return [];
      const end = first.notAfter === null ? '' : `, valid until ${dayText(first.notAfter)}`;
      return [
        `  a certificate from ${first.issuer ?? 'an issuer without a name'}${end}, in ${otherNetworks(probes)}`,
        `    SHA-256 ${first.fingerprint}`,
      ];
    }),
    '',
  ];
}

/** Returns null if every certificate is what other networks receive. */
function outsideRefusal(compared: readonly (LeafComparison | null)[]): string | null {
  if (compared.every((one) => one?.kind === 'same')) return null;
  if (compared.some((one) => one?.kind === 'other'))
    return (
      'this site receives another certificate than other networks do, so a device on the path probably inspects TLS. ' +
      'Exempt the licence server on that device, and learn again'
    );
  return compared.includes(null)
    ? 'fewer than three other networks received a certificate. Try again with more probes or other countries'
    : 'other networks receive different certificates, so they cannot confirm this one';
}

/**
 * If the evidence shows inspection, nothing is learned even with `--yes`, because learned chains are trusted
 * permanently. An unconfirmed chain could come from an inspecting device, so its fingerprint must be typed. Previously
 * learned chains and certificates do not influence this decision.
 */
export async function trustLearn(options: TrustLearnOptions): Promise<number> {
  const write = (...lines: readonly string[]): unknown =>
    options.output.write(lines.map((line) => `${line}\n`).join(''));
  const chains = (await options.capture(options.signal)).map(judgeChain);
  write(...chains.flatMap(describeChain));

  const refused = refusal(options, chains);
  if (refused !== null) {
    write(...refused);
    return LEARN_EXIT.refused;
  }
  const baseline = baselineOf(options, chains);
  if (baseline === null) {
    write(`Nothing learned: no certificate was received from ${options.target}`);
    return LEARN_EXIT.nothingSeen;
  }
  const question =
    `Is this path to ${options.target} known to be free of TLS inspection? ` +
    'If you confirm, the keys above will be trusted';
  if (!(await isConfirmed(options, question))) {
    write(
      options.ask === null
        ? 'Nothing learned: cannot ask for confirmation. Use --yes if this path is known to be clean'
        : 'Nothing learned',
    );
    return LEARN_EXIT.declined;
  }
  await options.save(baseline);
  write(
    `Learned ${counted(baseline.leaves.length, 'server certificate')} and ` +
      `${counted(baseline.authorities.length, 'CA certificate')} for ${options.target}`,
  );
  return LEARN_EXIT.learned;
}

interface JudgedChain extends CapturedChain {
  readonly judgement: TlsJudgement;
  /** The last certificate of a chain that neither a configured key nor a public CA confirms; otherwise null. */
  readonly unconfirmed: Certificate | null;
}

function judgeChain(captured: CapturedChain): JudgedChain {
  const evidence = { ...captured.evidence, baseline: null, pinned: null };
  return { ...captured, judgement: judgeTls(evidence), unconfirmed: unconfirmedOf(evidence) };
}

/** The profile `public` uses its own CAs, and with `pinned` the learned chain becomes the CA. */
function unconfirmedOf(evidence: TlsEvidence): Certificate | null {
  const sent = sentChain(evidence.outcome.chain);
  if (sent === null || evidence.profile !== 'fortinet') return null;
  return unconfirmedEnd(sent, chainTrustOptions(evidence, createSignatureChecks()));
}

function describeChain({ address, evidence, judgement }: JudgedChain): readonly string[] {
  const certificates = evidence.outcome.chain?.certificates ?? [];
  return [`${address}: ${visibleText(judgement.summary, 1000)}`, ...certificates.flatMap(certificateLines), ''];
}

function refusal(
  { fingerprints, needsFingerprint = false }: TrustLearnOptions,
  chains: readonly JudgedChain[],
): readonly string[] | null {
  const against =
    chains.find(({ judgement }) => REFUSED.includes(judgement.verdict)) ??
    chains.find((chain) => isUnconfirmed(chain, fingerprints));
  if (against !== undefined) return [...findingLines(against.judgement), ...wayOut(against)];
  const seen = new Set(
    chains.flatMap(({ evidence }) => evidence.outcome.chain?.certificates ?? []).map(({ fingerprint }) => fingerprint),
  );
  if (needsFingerprint) {
    const untyped = chains.find(
      ({ evidence }) =>
        !(evidence.outcome.chain?.certificates ?? []).some(({ fingerprint }) => fingerprints.includes(fingerprint)),
    );
    if (untyped !== undefined)
      return [
        'Nothing learned: a chain from a capture is learned only with a fingerprint from another source. Compare that',
        'fingerprint with the SHA-256 fingerprints above, and specify it with --fingerprint',
      ];
  }
  const missing = fingerprints.find((fingerprint) => !seen.has(fingerprint));
  return missing === undefined
    ? null
    : [`Nothing learned: no certificate with the fingerprint ${missing} was received`];
}

/** Undisputed chains don't need a typed fingerprint. */
function isUnconfirmed({ judgement, unconfirmed }: JudgedChain, fingerprints: readonly string[]): boolean {
  return unconfirmed === null
    ? judgement.verdict === 'interception-suspected'
    : !fingerprints.includes(unconfirmed.fingerprint);
}

function findingLines({ findings, summary }: TlsJudgement): readonly string[] {
  return [
    `Nothing learned: ${visibleText(summary, 1000)}`,
    ...findings.map((finding) => `  ${finding.rule}: ${visibleText(actualOf(finding), 1000)}`),
  ];
}

function wayOut({ judgement, unconfirmed, evidence }: JudgedChain): readonly string[] {
  const another = 'Learn the chain on a different path, without TLS inspection';
  return unconfirmed === null || REFUSED.includes(judgement.verdict)
    ? [another]
    : comparisonLines(unconfirmed, evidence.target);
}

function baselineOf(
  { target, clock, fingerprints }: TrustLearnOptions,
  chains: readonly JudgedChain[],
): Baseline | null {
  const seen = chains.flatMap(({ evidence: { outcome }, judgement }) =>
    outcome.chain === null
      ? []
      : [
          {
            chain: outcome.chain,
            authorities: judgement.authorities,
            protocol: outcome.kind === 'failed' ? null : outcome.protocol,
          },
        ],
  );
  const rests = new Set(chains.map(({ unconfirmed }) => unconfirmed?.fingerprint));
  return learnBaseline(target, seen, {
    now: clock.now(),
    accepted: fingerprints.filter((fingerprint) => rests.has(fingerprint)),
  });
}

async function isConfirmed({ yes, ask }: Pick<TrustLearnOptions, 'yes' | 'ask'>, question: string): Promise<boolean> {
  if (yes) return true;
  if (ask === null) return false;
  const answer = await ask(`${question} [y/N] `);
  return /^y(?:es)?$/iu.test(answer.trim());
}

/** The command does not contain the fingerprint, because users must obtain it from an independent source. */
function comparisonLines(certificate: Certificate, target: string): readonly string[] {
  return [
    'No configured key or public authority confirms this chain. Its last certificate is:',
    ...certificateLines(certificate),
    "An inspecting device's chain can look the same, so --yes is not enough. Obtain the SHA-256 fingerprint on a",
    `different path: connect to ${target} from another network, or export the authority from a FortiGate. If`,
    'the two fingerprints match, run this command with the fingerprint from the other path:',
    '  ftm-watch trust learn --fingerprint SHA256',
    'If they differ, this path is inspected. Learn the chain on a different path',
  ];
}

interface TrustOverview {
  readonly pinned?: PinnedCertificate | null;
  readonly target: string;
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly baseline: Baseline | null;
  readonly refusedBaseline: RefusedBaseline | null;
  readonly baselineFile: string;
}

const PROFILES: Readonly<Record<TrustProfile, string>> = {
  fortinet:
    'a certificate is genuine if it is verified by the key of a Fortinet authority, or by a configured or learned key',
  public:
    'a certificate is genuine if it is verified by an authority that browsers trust, or by a configured or learned key',
  pinned: 'a certificate is genuine only if it is verified by a configured or learned key',
};

export function renderTrust({
  target,
  profile,
  trust,
  baseline,
  refusedBaseline,
  pinned = null,
  baselineFile,
}: TrustOverview): string {
  const { pins, anchors } = trustUnder(profile, trust);
  const configured = pins.filter(({ origin }) => origin === 'configured');
  return [
    `${target}, profile ${profile}: ${PROFILES[profile]}`,
    '',
    'Trusted authorities:',
    ...(anchors.length === 0
      ? ['  none']
      : anchors.flatMap(({ certificate, label }) => [
          ...certificateLines(certificate),
          `    ${sourceOf(certificate.pin, label)}`,
        ])),
    ...(profile === 'public'
      ? ["  Mozilla's root certificates, as included in Node (this machine's certificate store is not used)"]
      : []),
    '',
    'Pinned keys (used only if the server sends a certificate with this key):',
    ...(configured.length === 0 ? ['  none configured'] : configured.map(({ pin }) => `  ${pin}, trust.pins`)),
    '',
    ...(pinned === null ? [] : pinnedLines(pinned)),
    ...(refusedBaseline === null ? baselineLines(baseline, baselineFile) : refusedLines(refusedBaseline, baselineFile)),
    '',
  ].join('\n');
}

function sourceOf(pin: string, label: string): string {
  const shipped = SHIPPED_PINS.find((known) => known.pin === pin);
  return shipped === undefined ? `configured: ${label}` : `shipped: ${shipped.label}; ${shipped.source}`;
}

function pinnedLines({ fingerprint, learnedAt, seenBy }: PinnedCertificate): readonly string[] {
  return [
    `Pinned certificate (genuine until it is renewed), which ${seenBy} received as well on ${dayText(learnedAt)}:`,
    `  SHA-256 ${fingerprint}`,
    '',
  ];
}

function baselineLines(baseline: Baseline | null, file: string): readonly string[] {
  if (baseline === null)
    return [
      `No learned chain in ${file}. To learn one, run "ftm-watch trust learn" on a path that is known to be clean`,
    ];
  return [
    `Learned on ${new Date(baseline.learnedAt).toISOString()}, in ${file}:`,
    ...baseline.leaves.flatMap(certificateLines),
    ...baseline.authorities.flatMap(certificateLines),
  ];
}

function refusedLines({ baseline, unconfirmed }: RefusedBaseline, file: string): readonly string[] {
  return [
    `The chain that was learned on ${new Date(baseline.learnedAt).toISOString()} (in ${file}) is not used, because no`,
    'configured key, public authority or typed fingerprint confirms its last certificate. It may be the chain of an',
    'inspecting device. The last certificate is:',
    ...certificateLines(unconfirmed),
    'To learn the chain again, run this on a path that is known to be clean: ftm-watch trust learn',
  ];
}
