import type * as z from 'zod';
import { isCauseId, isPreconditionId } from '../checks/registry.ts';
import { type Cause, causeSchema } from '../engine/model.ts';

/** Another version of ftm-watch may have stored or sent a cause that this version does not know. */
export function isKnownCause({ id, precondition, consequences }: Cause): boolean {
  return isCauseId(id) && [precondition, ...consequences].every(isPreconditionId);
}

export function readableCauses(items: readonly unknown[]): readonly Cause[] {
  return readable(causeSchema.refine(isKnownCause), items);
}

/** Omits items that only another version can read. */
export function readable<T>(schema: z.ZodType<T>, items: readonly unknown[]): readonly T[] {
  return items.flatMap((item) => {
    const { success, data } = schema.safeParse(item);
    return success ? [data] : [];
  });
}
