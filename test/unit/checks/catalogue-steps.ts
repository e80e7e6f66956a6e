import { CAUSE_IDS, CHECKS, wordsOf } from '../../../src/checks/registry.ts';
import type { CauseWords, Step } from '../../../src/engine/model.ts';

/** Returns every remedy of every cause, kind and product, and of unknown results, with its name. */
export function catalogueSteps(): readonly (readonly [name: string, steps: readonly Step[]])[] {
  return [
    ...CAUSE_IDS.flatMap((id) => remediesOf(id, wordsOf(id))),
    ...CHECKS.map(({ id, unknownRemedy }) => [`${id} unknown`, [unknownRemedy]] as const),
  ];
}

function remediesOf(id: string, words: CauseWords): readonly (readonly [string, readonly Step[]])[] {
  const { remedy, variants = [] } = words;
  return [[id, remedy], ...variants.map((one) => [`${id} ${JSON.stringify(one.when)}`, one.remedy ?? []] as const)];
}
