import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHierarchy, type Hierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { startPostfix, type PostfixInstance } from '../../support/mail/postfix-instance.ts';
import { MAIL_HOST, type Section } from '../../support/process/check-bench.ts';
import { preconditionOf } from '../../support/process/check-result.ts';
import { statusOf } from '../../support/process/daemon-process.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const PATIENCE = { timeout: 60_000, interval: 200 };

async function authorityOf(name: string): Promise<Hierarchy> {
  return createHierarchy({ name: `CN=${MAIL_HOST}`, dnsNames: [MAIL_HOST] }, `CN=Root ${name}`);
}

function tlsOf({ leaf, intermediate }: Hierarchy): { readonly keyPem: string; readonly chain: string } {
  return { keyPem: leaf.keyPem, chain: chainPem(leaf, intermediate) };
}

describeWhere(['root', { program: 'postfix' }, { program: 'python3' }], 'a real postfix below two authorities', () => {
  let old: Hierarchy;
  let next: Hierarchy;
  let site: DaemonBench;
  let postfix: PostfixInstance;

  beforeAll(async () => {
    old = await authorityOf('Old');
    next = await authorityOf('Next');
    site = await createDaemonBench();
    postfix = await startPostfix(['admins', 'user'], { tls: tlsOf(old) });
    await writeFile(join(site.folder, 'both.pem'), chainPem(old.root, next.root));
    await writeFile(join(site.folder, 'fac.pem'), chainPem(old.root));
  }, 60_000);

  afterAll(async () => {
    postfix[Symbol.dispose]();
    await site[Symbol.asyncDispose]();
  });

  function mailWith(trust: Section): Section {
    return {
      mail: [{ host: MAIL_HOST, port: postfix.port, from: 'fac@example.test', to: 'user@example.test', ...trust }],
    };
  }

  async function isReadyUnder(page: string, { root }: Hierarchy): Promise<boolean> {
    const status = await statusOf(page);
    const { findings = [] } = status?.preconditions.find(({ id }) => id === 'mail') ?? {};
    return status?.ready === 'ready' && findings.some(({ fullNames }) => fullNames.includes(root.name));
  }

  async function settlesUnder(daemon: DaemonProcess, authority: Hierarchy): Promise<void> {
    await expect.poll(async () => isReadyUnder(await daemon.page(), authority), PATIENCE).toBe(true);
  }

  /** More rounds than an incident needs to open. */
  async function laterRounds(page: string): Promise<void> {
    const at = async (): Promise<number> => Date.parse((await statusOf(page))?.at ?? '');
    const first = await at();
    await expect.poll(at, PATIENCE).toBeGreaterThan(first + 6_000);
  }

  test('a changed root is told once, before and without any failure', async () => {
    const server = { host: '127.0.0.1', port: postfix.port, security: 'none' };
    await site.configure({
      ...mailWith({ caFile: 'both.pem' }),
      schedule: { probes: '*/2 * * * * *' },
      notify: { email: { from: 'ftm-watch@example.test', to: ['admins@example.test'], servers: [server] } },
    });
    {
      await using daemon = site.start();
      await settlesUnder(daemon, old);
      expect(postfix.mails('admins')).toEqual([]);
      postfix.serve(tlsOf(next));
      await expect.poll(() => postfix.mails('admins').length, PATIENCE).toBe(1);
      await settlesUnder(daemon, next);
      postfix.serve(tlsOf(old));
      await settlesUnder(daemon, old);
      await daemon.end('SIGTERM');
    }
    postfix.serve(tlsOf(next));
    await using daemon = site.start();
    await settlesUnder(daemon, next);
    await laterRounds(await daemon.page());
    const [mail, ...more] = parsedMails(postfix.mails('admins'));
    expect(more).toEqual([]);
    for (const line of next.root.pem.trim().split('\n')) expect(mail?.text).toContain(line);
    expect(mail?.text).toContain('"Root Next"');
    const { stdout } = await site.bench.run(['check', '--roots', '-c', 'ftm-watch.yaml']);
    expect(stdout).toContain(`\n${next.root.pem}`);
    await daemon.end('SIGTERM');
  }, 180_000);

  test('a root that FortiAuthenticator lacks is a failure, and not a change', async () => {
    postfix.serve(tlsOf(next));
    const lacking = await site.bench.check(site.port, mailWith({ applianceCaFile: 'fac.pem' }));
    expect(lacking).toMatchObject({
      ready: 'not-ready',
      causes: [{ id: 'mail-tls-broken', summary: expect.stringContaining('FortiAuthenticator does not trust') }],
    });
    expect(preconditionOf(lacking, 'mail').findings).toMatchObject([{ rule: 'mail-tls-verifies-on-appliance' }]);
    postfix.serve(tlsOf(old));
    const having = await site.bench.check(site.port, mailWith({ applianceCaFile: 'fac.pem' }));
    expect(having).toMatchObject({ ready: 'ready', causes: [] });
    expect(preconditionOf(having, 'mail').findings).toEqual([]);
  }, 60_000);
});
