import type { EpochMs } from '../../core/clock.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Incident, IncidentState, Silence } from './incident.ts';
import type { Notification } from './notification.ts';
import type { Looks, PartlyFresh } from './round-view.ts';

/** Everything that can happen to the incidents. `at` and `diagnosis.at` are the present. */
export type IncidentInput =
  | {
      readonly kind: 'diagnosis';
      readonly diagnosis: Diagnosis;
      /**
       * The preconditions that were looked at again; null: all. The others neither confirm nor recover anything, since
       * the same observation seen twice is no confirmation.
       */
      readonly fresh: readonly string[] | null;
      /** Without: this is the first round that is known. */
      readonly looks?: Looks;
      /** Beyond that, preconditions of which a part was looked at again. */
      readonly partlyFresh?: PartlyFresh;
    }
  /** The round of the last diagnosis, judged again when it was known more of what it had asked for. */
  | { readonly kind: 'revision'; readonly at: EpochMs; readonly diagnosis: Diagnosis }
  | { readonly kind: 'tick'; readonly at: EpochMs }
  | { readonly kind: 'maintenance'; readonly at: EpochMs; readonly active: boolean }
  | { readonly kind: 'silence'; readonly at: EpochMs; readonly silence: Omit<Silence, 'id' | 'from'> }
  | { readonly kind: 'unsilence'; readonly at: EpochMs; readonly id: string }
  | { readonly kind: 'acknowledge'; readonly at: EpochMs; readonly id: string; readonly by: string }
  | { readonly kind: 'unacknowledge'; readonly at: EpochMs; readonly id: string };

/** `merged`: it goes on in another incident. */
export type Transition = 'opened' | 'reopened' | 'changed' | 'merged' | 'closed';

/** What is to be done about it, after the state was stored. */
export type IncidentEffect =
  | { readonly kind: 'notify'; readonly notification: Notification }
  | { readonly kind: 'transition'; readonly transition: Transition; readonly incident: Incident };

export interface IncidentStep {
  readonly state: IncidentState;
  readonly effects: readonly IncidentEffect[];
}
