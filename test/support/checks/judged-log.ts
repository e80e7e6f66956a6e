import { polling } from '../../../src/checks/polling/judge.ts';
import { preconditionOf } from '../../../src/checks/registry.ts';
import type { Config } from '../../../src/config/config.ts';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import type { CertificateRejection } from '../../../src/core/polling/log-event.ts';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { withPlainClaims } from './plain-claim.ts';

interface Known {
  readonly config?: Config;
  readonly firewall?: readonly FirewallObservation[];
  readonly unknownSenders?: readonly string[];
  readonly certificateRejections?: readonly CertificateRejection[];
}

const CONFIG = await configOf('logs: { syslog: { udp: "127.0.0.1:5514" } }');

/** Returns the findings about the appliances' log. */
export const judgeLog = withPlainClaims(
  (
    report: PollingReport,
    { config = CONFIG, firewall = [], unknownSenders = [], certificateRejections = [] }: Known = {},
  ): readonly Finding[] => {
    if (polling.from !== 'log') throw new Error('Expected a check of the log');
    const heard = { kind: 'heard', config, report, firewall, notes: [], unknownSenders } as const;
    const facts = { ...heard, certificateRejections, preconditionOf };
    return polling.judge(facts).findings;
  },
);
