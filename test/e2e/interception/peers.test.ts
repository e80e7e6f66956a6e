import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_HOST,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/** The gateway's address in FortiAuthenticator's segment. The other agent runs there. */
const INSPECTED = '10.20.0.3';
const OWN = '10.20.0.2';
const FORTIGATE = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345';
const EVERY_SECOND = { probes: '* * * * * *', appliance: '* * * * * *' };
const ROUNDS = { timeout: 40_000, interval: 250 };

describeWhere(INSPECTED_SITE_NEEDS, 'two agents, of whose addresses the gateway inspects one', () => {
  let site: InspectedSite;
  let fortigate: Identity;

  beforeAll(async () => {
    site = await createInspectedSite();
    fortigate = await createIdentity({ name: FORTIGATE, authority: true, key: 'RSA-2048' });
    const [enter = '', ...into] = site.prefix;
    spawnSync(enter, [...into, 'ip', 'addr', 'add', `${INSPECTED}/24`, 'dev', 'uplink']);
    const page = await createIdentity({ name: 'CN=agents', ipAddresses: ['127.0.0.1'] });
    await writeFile(join(site.folder, 'page.pem'), page.pem);
    await writeFile(join(site.folder, 'page.key'), page.keyPem, { mode: 0o600 });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  /** Returns an agent's status, requested in its namespace. Empty before the agent's first round. */
  function statusAt(port: number): Pick<DiagnosisJson, 'causes'> {
    const [enter = '', ...into] = site.prefix;
    const program = `fetch('https://127.0.0.1:${String(port)}/api/v1/status').then(async (r) => console.log(await r.text()))`;
    const { stdout } = spawnSync(enter, [...into, process.execPath, '-e', program], {
      encoding: 'utf8',
      env: { NODE_EXTRA_CA_CERTS: join(site.folder, 'page.pem') },
    });
    return { causes: [], ...(JSON.parse(stdout) as object) };
  }

  function agent(sourceAddress: string, port: number, peer: { readonly name: string; readonly port: number }) {
    return {
      sourceAddress,
      schedule: EVERY_SECOND,
      store: { path: `store-${String(port)}.sqlite` },
      trust: { profile: 'fortinet', caFiles: ['authority.pem'], baselineFile: `baseline-${String(port)}.json` },
      web: { listen: `127.0.0.1:${String(port)}`, tls: { certFile: 'page.pem', keyFile: 'page.key' } },
      peers: [{ name: peer.name, url: `https://127.0.0.1:${String(peer.port)}`, caFile: 'page.pem' }],
    };
  }

  test('the cause names the inspection that the other one alone sees, and ends with it', async () => {
    const file = await site.configure(agent(INSPECTED, 9851, { name: 'office', port: 9852 }));
    await using other = startDaemonProcess({ cwd: site.folder, args: ['-c', file], prefix: site.prefix });
    await other.page();
    const ownFile = await site.configure(agent(OWN, 9852, { name: 'dmz', port: 9851 }));
    await using own = startDaemonProcess({ cwd: site.folder, args: ['-c', ownFile], prefix: site.prefix });
    await own.page();
    const causes = (): readonly Cause[] => statusAt(9852).causes;
    const interceptedAt = (port: number): Cause | undefined =>
      statusAt(port).causes.find(({ id }) => id === 'tls-intercepted');
    const intercepted = (): Cause | undefined => interceptedAt(9852);
    {
      await using _ = await site.inspect({
        authority: fortigate,
        policy: ['ssl_bump peek hello', `acl segment src ${INSPECTED}`, 'ssl_bump bump segment', 'ssl_bump splice all'],
      });
      await expect.poll(intercepted, ROUNDS).toMatchObject({
        confidence: 'confirmed',
        severity: 'critical',
        product: 'Fortinet FortiGate',
        subject: `${LICENSE_HOST}:443`,
      });
      expect(intercepted()?.evidence.join('\n')).toContain('ftm-watch at dmz detected');
      // The other agent found no fault itself, although it repeats the report of its peer.
      await expect
        .poll(() => interceptedAt(9851)?.evidence.join('\n'), ROUNDS)
        .toContain('ftm-watch at office detected no fault, so the fault may affect only this ftm-watch');
    }
    // The agents are each other's peers, but neither keeps the fault open because of the other's report.
    await expect.poll(causes, ROUNDS).toEqual([]);
  }, 120_000);
});
