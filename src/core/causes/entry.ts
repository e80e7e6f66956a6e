import type { CauseId, Severity } from '../cause.ts';
import type { FaultKind } from '../fault-kind.ts';

/**
 * What is known about a cause before it occurs. Texts may name `{placeholders}` (see wording.ts); the runbooks print
 * the same texts, so that mail, page and runbook never disagree.
 */
export interface CauseEntry {
  /** Severity when the cause breaks its precondition; one that only weakens it is a `warning` at the most. */
  readonly severity: Severity;
  /** A clause for subjects and headings: "TLS is intercepted". */
  readonly title: string;
  /** One sentence. */
  readonly summary: string;
  readonly impact: ImpactKind;
  /** Steps for an administrator, in order. */
  readonly remedy: readonly string[];
  /** What is told instead where the kind of fault is known. */
  readonly kinds?: Readonly<Partial<Record<FaultKind, KindEntry>>>;
  /** What is told instead when the way leads through a CONNECT proxy (`facts.proxy`). */
  readonly throughProxy?: { readonly summary: string; readonly remedy: readonly string[] };
  /** What is told instead while something on the path of this machine is not `ok` (`facts.unclear`). */
  readonly unclearPath?: { readonly summary: string; readonly remedy: readonly string[] };
  /** The steps instead when the inspecting product is this one, by its name in config/inspection-products.yaml. */
  readonly productRemedy?: Readonly<Record<string, readonly string[]>>;
  /** The steps instead when any other product is known. */
  readonly anyProductRemedy?: readonly string[];
}

/** One of several kinds of a cause. */
export interface KindEntry {
  /** A clause for the heading in the runbook: "another server name passes". */
  readonly title: string;
  readonly summary: string;
  readonly remedy: readonly string[];
}

/** Which part of activation suffers; impact.ts turns it into a sentence. */
export type ImpactKind = 'activation' | 'delivery' | 'assignment' | 'tokens' | 'blind' | 'none';

export type CauseCatalogue<Id extends CauseId> = Readonly<Record<Id, CauseEntry>>;
