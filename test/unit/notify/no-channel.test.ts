import { describe, expect, test } from 'vitest';
import { hasChannel, noChannelNote } from '../../../src/notify/channels/registry.ts';
import { alertmanagerAt } from '../../support/monitoring/alertmanager-at.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { configOf } from '../../support/config/config-of.ts';

const { notify: NONE } = await configOf('{}');

describe('noChannelNote()', () => {
  test('says what alerts where nothing is configured', () => {
    expect(hasChannel(NONE)).toBe(false);
    expect(noChannelNote(NONE)).toBe(
      'No channel is configured, so ftm-watch does not send notifications. Only systems that scrape /metrics can raise ' +
        'alerts.',
    );
  });

  test.each([
    ['Alertmanager', { ...NONE, alertmanager: alertmanagerAt(['http://127.0.0.1:9093']) }],
    ['a web hook', { ...NONE, webhooks: [hookAt('https://hooks.example.org')] }],
    [
      'mail',
      {
        ...NONE,
        email: { from: 'a@example.org', to: ['b@example.org'], minSeverity: 'warning' as const, servers: [] },
      },
    ],
  ])('says nothing with %s', (_, channels) => {
    expect(noChannelNote(channels)).toBeNull();
  });
});
