import type { Clock } from '../core/clock.ts';
import { type Baseline, learnBaseline } from '../core/interception/baseline.ts';
import type { TlsEvidence, TlsJudgement, Verdict } from '../core/interception/tls-evidence.ts';
import { judgeTls } from '../core/interception/verdict.ts';
import { visibleText } from '../core/visible-text.ts';
import { certificateLines } from './trust-text.ts';

/** One address of the target as it was captured: everything that a judgement rests on. */
export interface CapturedLook {
  readonly address: string;
  readonly evidence: TlsEvidence;
}

export interface TrustLearnOptions {
  /** `host:port` */
  readonly target: string;
  /** Looks at every address of the target, with the control hosts in the same round. */
  readonly capture: (signal: AbortSignal) => Promise<readonly CapturedLook[]>;
  /** Asks the person; null where nobody can be asked (no terminal). */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** `--yes`: the path is known to be clean, do not ask. */
  readonly yes: boolean;
  readonly save: (baseline: Baseline) => Promise<void>;
  readonly output: { write(text: string): unknown };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Exit codes of `trust learn`. */
export const LEARN_EXIT = { learned: 0, declined: 1, refused: 2, nothingSeen: 3 } as const;

const REFUSED: readonly Verdict[] = ['intercepted', 'interception-suspected', 'blocked'];

/**
 * Records the target's chain as genuine, when the person says that the path is clean. Refuses when the evidence says otherwise, even
 * with `--yes`: what is learned once is trusted from then on. What was learned before does not count in that decision.
 *
 * @returns the exit code, of `LEARN_EXIT`
 */
export async function trustLearn(options: TrustLearnOptions): Promise<number> {
  const write = (...lines: readonly string[]): unknown => options.output.write(lines.map((line) => `${line}\n`).join(''));
  const looks = (await options.capture(options.signal)).map(judgeLook);
  write(...looks.flatMap(describeLook));

  const against = looks.find(({ judgement }) => REFUSED.includes(judgement.verdict));
  if (against !== undefined) {
    write(...refusal(against.judgement));
    return LEARN_EXIT.refused;
  }
  const baseline = baselineOf(options, looks);
  if (baseline === null) {
    write(`Nothing learned: no certificate of ${options.target} was seen`);
    return LEARN_EXIT.nothingSeen;
  }
  if (!(await isConfirmed(options))) {
    write(options.confirm === null ? 'Nothing learned: nobody to ask. Use --yes if this path is known to be clean' : 'Nothing learned');
    return LEARN_EXIT.declined;
  }
  await options.save(baseline);
  write(
    `Learned ${String(baseline.leaves.length)} certificate(s) and ${String(baseline.authorities.length)} authorities of ${options.target}`,
  );
  return LEARN_EXIT.learned;
}

interface JudgedLook extends CapturedLook {
  readonly judgement: TlsJudgement;
}

function judgeLook(look: CapturedLook): JudgedLook {
  return { ...look, judgement: judgeTls({ ...look.evidence, baseline: null }) };
}

function describeLook({ address, evidence, judgement }: JudgedLook): readonly string[] {
  const certificates = evidence.outcome.chain?.certificates ?? [];
  return [`${address}: ${visibleText(judgement.summary, 1000)}`, ...certificates.flatMap(certificateLines), ''];
}

function refusal({ findings, summary }: TlsJudgement): readonly string[] {
  return [
    `Nothing learned: ${visibleText(summary, 1000)}`,
    ...findings.map(({ rule, actual }) => `  ${rule}: ${visibleText(actual, 1000)}`),
    "Learn from another path. If you know the authority to be the vendor's own, add its certificate to trust.caFiles instead",
  ];
}

function baselineOf({ target, clock }: TrustLearnOptions, looks: readonly JudgedLook[]): Baseline | null {
  const seen = looks.flatMap(({ evidence: { outcome }, judgement }) =>
    outcome.chain === null
      ? []
      : [{ chain: outcome.chain, authorities: judgement.authorities, protocol: outcome.kind === 'failed' ? null : outcome.protocol }],
  );
  return learnBaseline(target, seen, clock.now());
}

async function isConfirmed({ yes, confirm, target }: TrustLearnOptions): Promise<boolean> {
  if (yes) return true;
  return (
    confirm !== null &&
    (await confirm(`Is this path to ${target} known to be clean, with no TLS inspection? The keys above are trusted from now on [y/N] `))
  );
}
