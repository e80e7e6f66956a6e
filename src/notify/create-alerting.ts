import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { INCIDENT_DEFAULTS, type IncidentPolicy } from '../engine/incident/policy.ts';
import { periodOf } from '../schedule/cron-timer.ts';
import { sourcesThatRun } from '../sources/registry.ts';
import { readCrontab } from '../text/crontab.ts';
import { Alerting, type AlertingDeps } from './alerting.ts';
import { CHANNELS } from './channels/registry.ts';
import { createMaintenance } from './maintenance.ts';
import { messageContext, type MessageSettings } from './message-settings.ts';
import { hasChannel } from './no-channel.ts';

export type AlertingConfig = MessageSettings & Pick<Config, 'notify' | 'schedule'>;

/**
 * Alerting as a configuration wants it.
 * @throws {RangeError} for a maintenance window that cannot be read
 */
export function createAlerting(config: AlertingConfig, deps: AlertingDeps): Alerting {
  const { notify } = config;
  return new Alerting(
    {
      channels: CHANNELS.flatMap((channel) =>
        channel.create(notify, { ...deps, ...messageContext(config), proxy: notify.proxy }),
      ),
      maintenance: createMaintenance(notify.maintenance),
      policy: policyOf(config),
      timezone: config.timezone,
      summary: notify.summary === null ? null : readCrontab(notify.summary.cron, config.timezone),
    },
    deps,
  );
}

function policyOf({ notify, schedule }: AlertingConfig): IncidentPolicy {
  return {
    ...INCIDENT_DEFAULTS,
    ...notify.policy,
    checks: CHECKS,
    tells: hasChannel(notify),
    intervals: intervalsOf(schedule),
  };
}

/** A check of units has news when any of its sources has. */
function intervalsOf(schedule: Config['schedule']): Readonly<Record<string, Millis>> {
  const slow = sourcesThatRun('appliance', 'registration');
  return Object.fromEntries(
    CHECKS.map((check) => {
      const asked = check.from === 'units' ? slow.filter(({ id }) => check.sources.includes(id)) : [];
      const periods = asked.length === 0 ? [schedule.probes] : asked.map(({ runs }) => schedule[runs]);
      return [check.id, Math.min(...periods.map(periodOf))];
    }),
  );
}
