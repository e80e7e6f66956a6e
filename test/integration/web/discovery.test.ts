import { expect, test } from 'vitest';
import { startWeb } from '../../support/web/web-bench.ts';

test('GET /sd tells Prometheus what may be probed, in groups, and by whom', async () => {
  await using web = await startWeb();
  const response = await web.get('/sd');
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json/u);
  const labels = { site: 'hq', agent: `127.0.0.1:${String(web.port)}` };
  expect(await response.json()).toEqual([
    { targets: ['control.test:443'], labels: { module: 'tcp', ...labels } },
    { targets: ['license.test:443'], labels: { module: 'http', ...labels } },
  ]);
});
