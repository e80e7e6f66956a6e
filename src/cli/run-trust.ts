import type { CaptureResult } from '../capture/capture-result.ts';
import { authority } from '../core/authority.ts';
import { chainKey } from '../core/certificate.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/named.ts';
import { createProbeKit, type ProbeKit } from '../runtime/round/probe-kit.ts';
import { controlChainsOf, tlsEvidence } from '../checks/tls-genuine/judge-tls-path.ts';
import { trueTime } from '../runtime/round/assess-round.ts';
import { writeBaseline } from '../trust/baseline-file.ts';
import { capturesOf, neededToJudge } from './capture.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { createProgressLine } from './progress.ts';
import { loadOrExplain, type Invocation, type Terminal } from './terminal.ts';
import { type CapturedLook, trustLearn, type TrustLearnOptions } from './trust.ts';
import { renderTrust } from './trust-text.ts';

/** The password of a proxy too. */
const neededToCapture: Needs = (key) => neededToJudge(key) || /^(?:licenseServer|services)\./u.test(key);

export interface LearnWishes extends Pick<TrustLearnOptions, 'yes' | 'fingerprints'> {
  /** Files of captures whose chains are learned instead of those of a round; empty: none. */
  readonly captures: readonly string[];
}

export async function runTrustLearn(wishes: LearnWishes, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToCapture);
  if (config === null) return EXIT_UNKNOWN;
  const { captures, ...typed } = wishes;
  const isCaptured = captures.length > 0;
  const look = async (signal: AbortSignal): Promise<readonly CapturedLook[]> =>
    isCaptured
      ? looksIn(await capturesOf(config, { files: captures, all: false }, terminal))
      : capture(await createProbeKit(config, terminal), terminal, signal);
  return trustLearn({
    ...terminal,
    target: authority(config.licenseServer),
    capture: look,
    ...typed,
    needsFingerprint: isCaptured,
    save: (baseline) => writeBaseline(config.trust.baselineFile, baseline),
  });
}

export async function runTrustShow(terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToJudge);
  if (config === null) return EXIT_UNKNOWN;
  const kit = await createProbeKit(config, terminal);
  terminal.output.write(overview(config, kit));
  return 0;
}

function overview({ licenseServer, trust: { profile, baselineFile } }: Config, kit: ProbeKit): string {
  const target = authority(licenseServer);
  const { trust, baseline, refusedBaseline } = kit.knowledgeOf(target);
  return renderTrust({ target, profile, trust, baseline, refusedBaseline, baselineFile });
}

/** The distinct chains of the licence server in captures. */
function looksIn({ connections }: CaptureResult): readonly CapturedLook[] {
  const looks = connections.flatMap(({ serverAddress, evidenceOfChain, chain }) =>
    evidenceOfChain === null || chain === null
      ? []
      : [[chainKey(chain.certificates), { address: serverAddress, evidence: evidenceOfChain }] as const],
  );
  return [...new Map(looks).values()];
}

/** One round, of which only the licence server's chains are kept, with the control hosts' beside them. */
async function capture(kit: ProbeKit, { progress }: Terminal, signal: AbortSignal): Promise<readonly CapturedLook[]> {
  const line = createProgressLine(progress);
  const round = await kit.observe(signal, {
    mailServers: Promise.resolve([]),
    codeLife: Promise.resolve(null),
    isComplained: false,
    complainedAt: null,
    onProgress: (step) => line.show(step),
  });
  line.clear();
  const path = round.path.licenseServer;
  const now = trueTime(round, (target) => kit.knowledgeOf(target));
  const surroundings = { controls: controlChainsOf(round.controls), now };
  return tlsEvidence(path, kit.knowledgeOf(path.subject), surroundings).map(({ endpoint, evidence }) => ({
    address: endpoint.address,
    evidence,
  }));
}
