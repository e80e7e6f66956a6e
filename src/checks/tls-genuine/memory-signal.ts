import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import { instantText } from '../../core/instant-text.ts';
import { type ChainCase, isBeyondComparison } from './chain-case.ts';
import type { Signal } from './signal.ts';

/**
 * What the same target showed before: as learned, or as this program verified it itself. A change at the vendor begins
 * like that as well, so it only stands in the evidence: it says since when.
 */
export function memorySignals(chain: ChainCase): readonly Signal[] {
  if (isBeyondComparison(chain)) return [];
  const { evidence, baselineMatch, leaf } = chain;
  const { baseline, remembered } = evidence;
  const actual = `Issued by ${formatDistinguishedName(leaf.issuer)}`;
  const base = { weight: 'weak', actual, product: null } as const;
  const learned = baselineMatch === 'other-authority' ? baseline?.leaves[0] : undefined;
  return [
    ...(remembered === null
      ? []
      : [
          {
            ...base,
            rule: 'genuine-as-before',
            expected: `A chain to ${remembered.label}, genuine until ${instantText(remembered.at)}`,
          },
        ]),
    ...(learned === undefined || baseline === null
      ? []
      : [
          {
            ...base,
            rule: 'issuer-as-learned',
            expected:
              `Issued by ${formatDistinguishedName(learned.issuer)}, as learned at ` +
              `${instantText(baseline.learnedAt)}`,
          },
        ]),
  ];
}
