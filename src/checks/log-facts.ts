import type { FirewallObservation } from '../core/license/firewall.ts';
import type { SlowFactsBySource, SourcesConfig } from '../sources/registry.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { Finding } from '../engine/finding.ts';

export type LogFacts =
  | {
      readonly kind: 'heard';
      readonly config: SourcesConfig;
      readonly report: PollingReport;
      /** What the FortiGates said of the policies for its traffic. */
      readonly firewall: readonly FirewallObservation[];
      /** What the units say of themselves. */
      readonly units?: SlowFactsBySource['appliances'];
      /** What was left out of the report, as notes. */
      readonly notes: readonly Finding[];
      /** Unknown senders whose lines were refused. */
      readonly strangers: readonly string[];
      /** The precondition that a cause breaks. */
      readonly preconditionOf: (cause: string) => string;
    }
  | ({ readonly kind: 'unheard'; readonly config: SourcesConfig } & Unheard);

/** Why nobody has listened. */
export interface Unheard {
  readonly reason: string;
  /** There is something that should have been read. */
  readonly isTrouble: boolean;
}
