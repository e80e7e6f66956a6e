import { expect, test } from 'vitest';

import { sendOverTcp } from '../../../src/demo/lab/appliance-log.ts';
import { createDaemonBench, metricsOf, valueIn } from '../../support/process/daemon-bench.ts';
import { freePort } from '../../support/network/free-port.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 20_000;

test('what nobody takes shows in the body of /-/ready, on the page and in the metrics', async () => {
  await using relay = await createMailServer({ recipient: () => ({ code: 550, text: 'relay not permitted' }) });
  await using site = await createDaemonBench();
  await site.configure({
    schedule: { probes: '* * * * * *' },
    logs: { syslog: { tcp: '127.0.0.1:0' } },
    notify: {
      email: {
        from: 'ftm-watch@example.test',
        to: ['admins@example.test'],
        servers: [{ host: '127.0.0.1', port: relay.port, security: 'none' }],
      },
      alertmanager: { urls: [`http://127.0.0.1:${String(await freePort())}`] },
    },
  });
  await using daemon = site.start();
  const page = await daemon.page();
  await sendOverTcp(await daemon.syslogTcpPort(), POLLING_ERROR_LINE);
  await until(
    () => metricsOf(page),
    (metrics) => valueIn(metrics, 'ftm_notifications_total{channel="email",result="rejected"}') > 0,
    WITHIN,
  );

  const ready = await fetch(`${page}/-/ready`);
  expect(ready.status).toBe(200);
  expect(await ready.text()).toContain('Notifications by email were rejected or abandoned for 1 recipient');
  const text = (await (await fetch(page)).text()).replaceAll(/<[^>]*>/gu, '');
  expect(text).toContain('Messages by email or webhook have not been delivered.');
  expect(text).toContain('Alertmanager has not accepted any message since ftm-watch was started or reloaded.');
  expect(daemon.log.map(({ event }) => event)).toContain('notification-rejected');
});
