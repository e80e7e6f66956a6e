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
  const { remedy, kinds = {}, productRemedy = {}, anyProductRemedy, unclearPath, brokenPath } = words;
  return [
    [id, remedy],
    ...Object.entries(kinds).map(([kind, told]) => [`${id} ${kind}`, told.remedy] as const),
    ...Object.entries(kinds).map(([kind, told]) => [`${id} ${kind} unclear`, told.unclearPath?.remedy ?? []] as const),
    ...Object.entries(productRemedy).map(([product, steps]) => [`${id} ${product}`, steps] as const),
    [`${id} other product`, anyProductRemedy ?? []],
    [`${id} unclear`, unclearPath?.remedy ?? []],
    [`${id} broken path`, brokenPath?.remedy ?? []],
  ];
}
