import { polling } from '../../../src/checks/polling/judge.ts';
import { preconditionOf } from '../../../src/checks/registry.ts';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';

const CONFIG = await configOf('logs: { syslog: { udp: "127.0.0.1:5514" } }');

/** Returns the findings about the appliances' log. */
export function judgeLog(report: PollingReport, known: Parameters<typeof judgedBy>[1] = {}): readonly Finding[] {
  return judgedBy(polling, { config: CONFIG, report, preconditionOf, ...known });
}
