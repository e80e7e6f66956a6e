import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import type { NotifyConfig } from '../config/notify.ts';
import { INCIDENT_DEFAULTS, type IncidentPolicy } from '../engine/incident/policy.ts';
import { readCrontab } from '../text/crontab.ts';
import { Alerting, type AlertingDeps } from './alerting.ts';
import { CHANNELS } from './channels/registry.ts';
import { createMaintenance } from './maintenance.ts';
import { messageContext, type MessageSettings } from './message-settings.ts';
import { hasChannel } from './no-channel.ts';

export type AlertingConfig = MessageSettings & Pick<Config, 'notify'>;

/** With how far apart the checks are. */
type Deps = AlertingDeps & Pick<IncidentPolicy, 'intervals'>;

/**
 * Alerting as a configuration wants it.
 * @throws {RangeError} for a maintenance window that cannot be read
 */
export function createAlerting(config: AlertingConfig, { intervals, ...deps }: Deps): Alerting {
  const { notify } = config;
  return new Alerting(
    {
      channels: CHANNELS.flatMap((channel) =>
        channel.create(notify, { ...deps, ...messageContext(config), proxy: notify.proxy }),
      ),
      maintenance: createMaintenance(notify.maintenance),
      policy: policyOf(notify, intervals),
      timezone: config.timezone,
      summary: notify.summary === null ? null : readCrontab(notify.summary.cron, config.timezone),
    },
    deps,
  );
}

function policyOf(notify: NotifyConfig, intervals: IncidentPolicy['intervals']): IncidentPolicy {
  return { ...INCIDENT_DEFAULTS, ...notify.policy, checks: CHECKS, tells: hasChannel(notify), intervals };
}
