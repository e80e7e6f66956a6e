import { expect } from 'vitest';
import { headline, shortCause } from '../../../src/checks/headline.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { clauseOf } from '../../../src/engine/words.ts';
import { causeOf } from './diagnosis-of.ts';
import { faultsOfClaims } from './plain-claim.ts';
import { textOfStep } from './text-of-step.ts';
import type { TlsJudgement } from '../../../src/checks/tls-genuine/chain-case.ts';

/** Replaces parts that differ from run to run, and removes the common prefix of the vendor's names. */
function plain(text: string): string {
  return text
    .replaceAll('C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, ', '')
    .replaceAll(/, (?:E|emailAddress)=support@fortinet\.com/gu, '')
    .replaceAll(/sha256\/[\w+/]+=*/gu, 'PIN')
    .replaceAll(/(?:[\dA-F]{2}:){7}[\dA-F]{2}…/gu, 'FINGERPRINT')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:]+Z/gu, 'MOMENT')
    .replaceAll(/\d{4}-\d{2}-\d{2}/gu, 'DAY');
}

/** Returns a suspected cause's headline and its short forms, as they follow from the finding. */
export function namesOf({ suggests, confidence, subject, claim }: Finding): readonly string[] {
  if (suggests === null || confidence !== 'suspected') return [];
  const cause = causeOf('tls-blocked', { subject, observed: clauseOf(claim) });
  return [`  named: ${headline(cause)}`, ...[47, 32].map((room) => `    ${shortCause(cause, room)}`)];
}

/** Returns the complete text of a judgement as people read it. */
export function toldOf({ verdict, confidence, product, summary, wouldSettle, findings }: TlsJudgement): string {
  expect(faultsOfClaims(findings)).toEqual([]);
  const lines = findings.flatMap((finding) => {
    const { level, suggests, rule, claim, expected, actual, quote, facts, advice, confidence: sure, kind } = finding;
    return [
      `- ${[level, suggests, sure, kind, facts?.issuer, facts?.product].filter((word) => typeof word === 'string').join(', ')}`,
      `  ${claim}`,
      ...namesOf(finding),
      ...(quote === undefined ? [] : [`  quote: ${quote}`]),
      `  ${rule}: ${expected}`,
      ...(actual === undefined ? [] : [`  but: ${actual}`]),
      ...(facts?.judgement === undefined || facts.judgement === summary ? [] : [`  judgement: ${facts.judgement}`]),
      ...(advice === undefined
        ? []
        : [`  advice: ${[advice.summary ?? '(the verdict)', ...advice.remedy.map(textOfStep)].join('\n    ')}`]),
    ];
  });
  return plain(
    [
      `${verdict}, ${confidence}${product === null ? '' : `, ${product}`}: ${summary}`,
      `settle: ${wouldSettle ?? '-'}`,
      ...lines,
    ].join('\n'),
  );
}
