import type { Explanation } from '../../engine/explanation.ts';
import { isSmallShare } from '../intermittent/finding.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { memoryBeside } from '../appliance/condition.ts';
import type { LogFacts } from '../log-facts.ts';
import { POLLING_CAUSES, type PollingCause } from './causes.ts';
import { judgeFirstLines } from './first-lines.ts';
import { judgePolling } from './judge.ts';
import { listens } from '../../core/polling/listens.ts';
import { PATH } from './path.ts';

export const polling: Declaration<'polling', PollingCause> = {
  id: 'polling',
  title: 'Polling',
  dependsOn: [],
  // Everything that FortiAuthenticator complains of may be explained by something else.
  explainedBy: [...PATH, 'license-assignment', 'firewall-policy', 'mail'].map((by) => ({
    by,
    when: canCome(by),
    evidence: true,
    warnings: 'suspected',
    byWarning: isSmallShare,
  })),
  causes: POLLING_CAUSES,
  unknownRemedy: 'Let FortiAuthenticator send its log to this machine: Logging > Log Config > Syslog Servers.',
  judgedLast: true,
  // It waits for the first line. When none comes, that is told as the silence of the appliance.
  onlyListens: true,
  place: { kind: 'branch', name: 'Polling', hint: 'what its log says' },
  step: 'provisioning',
  causeSteps: { 'users-disabled': 'code' },
  from: 'log',
  judge: judgeLog,
};

/**
 * Some of what FortiAuthenticator complains of can come from there. What cannot is not handed in together with what
 * can.
 */
function canCome(by: string): Explanation['when'] {
  return (findings) =>
    findings.some(({ level, explainedBy }) => level !== 'note' && (explainedBy?.includes(by) ?? by !== 'mail'));
}

function judgeLog(facts: LogFacts): Judgement {
  if (!listens(facts.config)) return notConfigured('No log source is configured');
  switch (facts.kind) {
    // That nobody listened is no trouble, so it is not `unknown`: a single check is told what it can look at, and that
    // this is not among it.
    case 'unheard':
      return facts.isTrouble ? unjudged(facts.reason) : notConfigured(facts.reason);
    case 'heard': {
      const { config, report, notes, strangers, preconditionOf } = facts;
      const policies = { configured: config.firewall, asked: facts.firewall };
      const found = judgePolling(report, preconditionOf, policies);
      const failing = found.filter(({ suggests }) => suggests === 'polling-failing');
      const memory = memoryBeside(failing, facts.units ?? [], ({ subject }) => subject);
      return judged(
        [...found, ...memory, ...notes, ...judgeFirstLines(config, report, strangers)],
        'The log of FortiAuthenticator shows no FortiToken Mobile errors',
      );
    }
  }
}
