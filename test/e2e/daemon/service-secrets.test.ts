import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Run, runFtmWatch } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createServiceMachine, type ServiceMachine } from './service-machine.ts';

const CREDENTIALS = '/run/credentials/ftm-watch.service';
const CONFIG = '/etc/ftm-watch/ftm-watch.yaml';

/** An appliance, a page user and a key: everything that the package stores as a secret. */
const TEXT = `
appliances:
  - { name: fac-1, api: { url: "https://127.0.0.1:9", user: watcher, keyFile: ${CREDENTIALS}/secrets_fac-1 } }
web:
  tokens: [{ name: prometheus, tokenFile: ${CREDENTIALS}/secrets_token }]
store: { path: /var/lib/ftm-watch/ftm-watch.sqlite }
trust: { baselineFile: /var/lib/ftm-watch/trust-baseline.json }
`;

describeWhere(['root', 'network-namespaces'], 'the secrets of the package while the service is stopped', () => {
  let machine: ServiceMachine;

  beforeAll(async () => {
    machine = await createServiceMachine();
    machine.write(CONFIG, TEXT);
    machine.write('/etc/ftm-watch/secrets/fac-1', 'key', 0o600);
    machine.write('/etc/ftm-watch/secrets/token', 'token', 0o600);
    machine.write('/tmp/log', 'nothing');
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  function ftmWatch(...args: readonly string[]): Promise<Run> {
    return runFtmWatch(args, machine.on);
  }

  test('are read where root keeps them, and it is said', async () => {
    const { exitCode, stdout, stderr } = await ftmWatch('check', '--json', '--timeout', '2');

    expect(stderr).toBe(
      `These files were read from "/etc/ftm-watch/secrets": fac-1. systemd copies them to "${CREDENTIALS}" only when the service starts\n`,
    );
    expect(JSON.parse(stdout)).toMatchObject({ preconditions: expect.anything() });
    expect(exitCode).toBe(2);
  });

  test('are not asked for by a command that needs none', async () => {
    expect(await ftmWatch('replay', '/tmp/log')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await ftmWatch('config', 'print')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`keyFile: ${CREDENTIALS}/secrets_fac-1`),
      stderr: '',
    });
    expect(await ftmWatch('trust', 'show')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('are never read by the daemon itself', async () => {
    expect(await ftmWatch('run')).toMatchObject({
      exitCode: 3,
      stderr:
        `${CONFIG}:3:70  appliances[0].api.keyFile: cannot read file "${CREDENTIALS}/secrets_fac-1": no such file\n` +
        `${CONFIG}:5:32  web.tokens[0].tokenFile: cannot read file "${CREDENTIALS}/secrets_token": no such file\n` +
        'The configuration is not valid: 2 problems\n',
    });
  });

  test('are named with both places where neither can be read', async () => {
    machine.write('/tmp/other.yaml', TEXT.replace('secrets_fac-1', 'secrets_fac-2'));

    expect(await ftmWatch('check', '-c', '/tmp/other.yaml')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(
        `cannot read file "${CREDENTIALS}/secrets_fac-2": no such file; ` +
          'its source "/etc/ftm-watch/secrets/fac-2" cannot be read either: no such file\n',
      ),
    });
  });
});
