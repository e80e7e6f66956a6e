import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadMonitorFiles } from '../../../src/runtime/start-check.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { configOf } from '../../support/config/config-of.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

function file(name: string, content: string): string {
  const path = folder.at(name);
  writeFileSync(path, content);
  return path;
}

describe('loadMonitorFiles()', () => {
  test('names everything that cannot be used, each on a line', async () => {
    const text = file('text', 'hello');
    const broken = file('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const empty = file('empty', '');
    const config = await configOf(`
      logs: { signatureFiles: ["${text}"] }
      mail: [{ host: mail.example.org, user: a, passwordFile: "${empty}", caFile: "${broken}" }]
      appliances: [{ name: fac-1, api: { url: "https://10.0.0.5", user: a, keyFile: "${empty}", caFile: "${text}" } }]
      metrics: { otlp: { url: "https://otel.example.org/v1/metrics", headersFile: "${text}" } }
      notify: { webhooks: [{ url: "https://hooks.example.org", headersEnv: SET_SECRET }] }
      web: { tokens: [{ name: of-the-page, tokenFile: "${empty}" }] }
    `);

    const problems = await loadMonitorFiles(config, { SET_SECRET: 'X-Key: a\nHost: b' }).then(
      () => [],
      (error: unknown) => (error instanceof Error ? error.message.split('\n') : []),
    );
    expect(problems).toEqual([
      expect.stringMatching(`^Cannot use the signatures in "${text}": `),
      expect.stringMatching(`^Cannot use certificate 1 in "${broken}": `),
      expect.stringMatching(`^Cannot use the certificates in "${text}": expected PEM`),
      `Cannot read the secret: file "${empty}" is empty`,
      expect.stringContaining('"SET_SECRET", line 2'),
      expect.stringContaining(`"${text}", line 1`),
    ]);
  });

  test('takes what can be used', async () => {
    const { pem } = await createIdentity({ name: 'CN=a', authority: true });
    const config = await configOf(`
      mail: [{ host: mail.example.org, user: a, passwordFile: "${file('password', 'b')}", caFile: "${file('ca', pem)}" }]
    `);

    expect(await loadMonitorFiles(config, {})).toMatchObject({ certificate: null });
  });
});
