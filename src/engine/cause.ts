import type { Culprit } from '../core/license/firewall.ts';
import type { Severity } from '../core/severity.ts';
import type { Remedy } from './remedy.ts';

export type Confidence = 'confirmed' | 'suspected';

/** A root cause, told so that a person can act on it. Its JSON form is part of the contract (`check --json`). */
export interface Cause extends Remedy {
  readonly id: string;
  readonly precondition: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** What is broken: a host and port, a resolver, a mail server, a licence. With `id` it identifies the cause. */
  readonly subject: string;
  /** The inspecting product, where the catalogue knows it. */
  readonly product: string | null;
  /** The firewall policy that does it; absent: no firewall was asked, or its answer does not explain the cause. */
  readonly culprit?: Culprit;
  /** What FortiAuthenticator's log reports, in at most 27 characters; absent: the cause does not come from its log. */
  readonly said?: string;
  /** One sentence. */
  readonly summary: string;
  /** What users feel now. */
  readonly impact: string;
  readonly evidence: readonly string[];
  /** Preconditions that are blocked because of it. */
  readonly consequences: readonly string[];
}
