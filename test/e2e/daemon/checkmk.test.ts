import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { chainPem, createIdentity } from '../../../src/demo/lab/identity.ts';
import { emailBy, createMailServer, type ReceivedMail } from '../../support/mail/mail-server.ts';
import { type CheckmkHost, MONITOR, readCheckmk } from '../../support/monitoring/checkmk-site.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';
import { answering, HOST, httpResponse } from '../../support/process/check-bench.ts';
import { runHere } from '../../support/process/command-line.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const LOCAL_CHECK = ['check', '--checkmk', '-c', 'ftm-watch.yaml'];
const SITE = 'FTM Activation';
const TLS = 'FTM Genuine TLS';

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

/** Runs the local check as the agent does every minute. */
async function services(): Promise<CheckmkHost> {
  const { exitCode, stdout, stderr } = await runHere(LOCAL_CHECK, { cwd: site.folder });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return readCheckmk(stdout, { isCached: true }).get(MONITOR) ?? new Map();
}

function statesOf(host: CheckmkHost): readonly number[] {
  return [...new Set([...host.values()].map(({ state }) => state))];
}

/** The words of the fault in a mail's subject, which shortens the headline. */
function wordsOfSubject(mail: ReceivedMail | undefined): readonly string[] {
  const [, name = 'none'] = /: (?<name>.*)$/u.exec(mail?.headers.get('subject') ?? '') ?? [];
  return name.toLowerCase().split(' ');
}

test('a fault, its change and its repair are seen with the headlines of the mails', async () => {
  let answer: 'genuine' | 'refused' | 'inspected' = 'genuine';
  const authority = await createIdentity({ name: 'O=Fortinet Ltd., CN=FG100FTK19000001', authority: true });
  const leaf = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: authority });
  const inspected = createSecureContext({ cert: chainPem(leaf, authority), key: leaf.keyPem });
  const { hierarchy } = site.bench;
  await using peer = await createTlsPeer({
    chain: [hierarchy.leaf, hierarchy.intermediate],
    serve: answering(() => httpResponse('404 Not Found')),
    SNICallback: (_name, done) => {
      if (answer === 'refused') done(new Error('refused'));
      else done(null, answer === 'inspected' ? inspected : undefined);
    },
  });
  await using mailbox = await createMailServer();
  await site.configure({
    schedule: { probes: '* * * * * *' },
    licenseServer: { host: HOST, port: peer.port, expectedAddresses: ['127.0.0.0/8'] },
    notify: { email: emailBy(mailbox) },
  });
  await using daemon = site.start();
  await daemon.diagnosis(({ ready }) => ready === 'ready');
  const before = await services();
  expect(statesOf(before)).toEqual([0]);

  const headlines: string[] = [];
  for (const [count, fault] of (['refused', 'inspected'] as const).entries()) {
    answer = fault;
    const mails = await mailbox.arrived(count + 1);
    const { causes } = await daemon.diagnosis(() => true);
    const host = await services();
    const headline = host.get(TLS)?.summary ?? '';
    headlines.push(headline);
    expect([host.get(SITE)?.state, host.get(TLS)?.state]).toEqual([2, 2]);
    expect(host.get(SITE)?.summary).toContain(headline);
    expect([causes[0]?.id, causes[0]?.headline]).toEqual([mails[count]?.headers.get('x-ftm-watch-cause'), headline]);
    expect(headline.toLowerCase().split(' ')).toEqual(expect.arrayContaining([...wordsOfSubject(mails[count])]));
    expect([...host.keys()]).toEqual([...before.keys()]);
  }
  expect(new Set(headlines).size).toBe(2);

  answer = 'genuine';
  await mailbox.arrived(3);
  expect(statesOf(await services())).toEqual([0]);
});

describe('a daemon that cannot be asked', () => {
  test('that was killed makes every service unknown, one that was stopped none', async () => {
    await site.configure();
    const killed = site.startProcess();
    await killed.diagnosis(() => true);
    const names = [...(await services()).keys()];
    await killed.end('SIGKILL');
    const gone = await services();
    expect(statesOf(gone)).toEqual([3]);
    expect([...gone.keys()]).toEqual(names);

    await using again = site.startProcess();
    await again.diagnosis(() => true);
    await again.end('SIGTERM');
    const stopped = await services();
    expect(statesOf(stopped)).toEqual([0]);
    expect(stopped.get(SITE)?.metrics.has('round_age')).toBe(false);
  });

  describeWhere([{ program: 'setpriv' }, 'root'], 'whose socket the user must not use', () => {
    test('makes every service unknown', async () => {
      await site.configure();
      await using daemon = site.startProcess();
      await daemon.diagnosis(() => true);
      chmodSync(join(site.folder, 'data/ftm-watch.sqlite.sock'), 0o000);
      // Root can use every socket unless these capabilities are dropped.
      const prefix = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];
      const { exitCode, stdout } = await runFtmWatch(LOCAL_CHECK, { cwd: site.folder, prefix });
      expect(exitCode).toBe(0);
      expect(statesOf(readCheckmk(stdout).get(MONITOR) ?? new Map())).toEqual([3]);
    });
  });
});
