import type { Millis } from '../../../core/clock.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { RecipientOutcome, StateChannel } from '../channel.ts';
import { alertsOf, type Alert } from './alerts.ts';
import { createAlertmanagerClient, type AlertmanagerResult } from './client.ts';

/** Alertmanager ends the test alert by itself. */
const TEST_LIFE: Millis = 60_000;

/** All instances of one cluster. */
export function createAlertmanagerChannel(
  urls: readonly string[],
  { site, clock }: Pick<ChannelDeps, 'site' | 'clock'>,
): StateChannel {
  const client = createAlertmanagerClient(urls, clock);

  function testAlert(): Alert {
    const now = clock.now();
    return {
      firing: true,
      body: {
        labels: { alertname: 'FtmWatchTest', site, cause: 'test', severity: 'info', subject: 'test' },
        annotations: { summary: 'This is a test of ftm-watch: nothing is broken because of it' },
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + TEST_LIFE).toISOString(),
      },
    };
  }

  return {
    kind: 'state',
    id: 'alertmanager',
    publish: async (state, signal) => (await client.send(alertsOf(state, site, clock.now()), signal)).map(outcomeOf),
    test: async (signal) => (await client.send([testAlert()], signal)).map(outcomeOf),
    waiting: () => client.waiting(),
    takenAt: () => client.takenAt(),
  };
}

function outcomeOf({ url, kind, detail }: AlertmanagerResult): RecipientOutcome {
  return { recipient: url, kind, detail };
}
