import type { Millis } from '../../../core/clock.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { StateChannel } from '../channel.ts';
import { alertsOf, type Alert } from './alerts.ts';
import { createAlertmanagerClient } from './client.ts';
import type { AlertmanagerConfig } from './section.ts';

/** Alertmanager ends the test alert by itself. */
const TEST_LIFE: Millis = 60_000;

/** All instances of one cluster. */
export function createAlertmanagerChannel(
  config: AlertmanagerConfig,
  { clock, readSecret, ...context }: ChannelDeps,
): StateChannel {
  const client = createAlertmanagerClient(config, { clock, readSecret });

  function testAlert(): Alert {
    const now = clock.now();
    return {
      firing: true,
      body: {
        labels: { alertname: 'FtmWatchTest', site: context.site, cause: 'test', severity: 'info', subject: 'test' },
        annotations: { summary: 'This is a test of ftm-watch: nothing is broken because of it' },
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + TEST_LIFE).toISOString(),
      },
    };
  }

  return {
    kind: 'state',
    id: 'alertmanager',
    publish: (state, signal) => client.send(alertsOf(state, context, clock.now()), signal),
    test: (signal) => client.send([testAlert()], signal),
    waiting: () => client.waiting(),
    takenAt: () => client.takenAt(),
  };
}
