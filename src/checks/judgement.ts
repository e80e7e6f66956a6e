import { type Finding } from '../engine/model.ts';
import { withMoreSaid } from '../engine/words.ts';
import { isInvalid } from '../core/round.ts';
import type { Facts, Judgement } from './check.ts';

/** @param summary the text to use if there are no findings */
export function judged(findings: readonly Finding[], summary: string): Judgement {
  return { kind: 'judged', findings, summary };
}

/** @param summary the reason why a configured check could not be evaluated */
export function unjudged(summary: string): Judgement {
  return { kind: 'unjudged', findings: [], summary };
}

export function notConfigured(summary: string): Judgement {
  return { kind: 'not-configured', findings: [], summary };
}

export function withFindings(own: Judgement, findings: readonly Finding[]): Judgement {
  if (findings.length === 0) return own;
  return {
    ...own,
    kind: own.kind === 'not-configured' ? 'judged' : own.kind,
    findings: [...own.findings, ...findings],
  };
}

const UNCONFIRMED = 'the time ran out before this was confirmed';

/**
 * Returns what a round shows about a check. An invalid round shows nothing. Otherwise, ftm-watch would report its own
 * problems as faults in the target.
 */
export function fromRound(id: string, own: Judgement, { round, unconfirmed }: Facts): Judgement {
  const { observations } = round;
  if (isInvalid(observations)) {
    if (own.kind === 'not-configured') return own;
    const stalled = (observations.stalledMs / 1000).toFixed(1);
    return unjudged(`ftm-watch itself stalled for ${stalled} s during the check, so the results were discarded`);
  }
  if (!unconfirmed.includes(id)) return own;
  const findings = own.findings.map((finding): Finding => {
    if (finding.level !== 'broken') return finding;
    return { ...withMoreSaid(finding, '; ', UNCONFIRMED), level: 'unknown', suggests: null };
  });
  return { ...own, findings };
}
