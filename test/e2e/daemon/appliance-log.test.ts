import { beforeEach, describe, expect, test } from 'vitest';
import { sendOverTcp } from '../../../src/demo/lab/appliance-log.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';

const POLLING_ERROR = 'FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed';
const STALE_MEMBER = 'FTM provision: HA cluster SN "FAC-VM0000000777" error: Product is not registered(21)';
const DEPROVISIONED =
  "FTM deprovision: disabled remote LDAP user 'a.user' because FTM activation has expired. Admin must be cautious to " +
  're-enable this user because it will be allowed access without token.';
const HARMLESS = 'Local user login successful';

let lab: Lab;
let daemon: DaemonProcess;

beforeEach(async () => {
  // Errors are kept for longer than a test runs. Rounds run every second, so that tests need not wait for a line.
  const watched = await createWatchedLab({
    logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' }, window: '1h' },
  });
  ({ lab, daemon } = watched);
  lab.applianceLog.sendTo(await daemon.syslogTcpPort());
  // The daemon waits for the log's first line.
  await lab.applianceLog.say(HARMLESS);
  await diagnosis(({ ready }) => ready === 'ready');
  return () => watched[Symbol.asyncDispose]();
});

const diagnosis: DaemonProcess['diagnosis'] = (isMeant) => daemon.diagnosis(isMeant);

function hasCause(id: string): (diagnosis: DiagnosisJson) => boolean {
  return ({ causes }) => causes.some((cause) => cause.id === id);
}

function stateOf({ preconditions }: DiagnosisJson, id: string): string | undefined {
  return preconditions.find((precondition) => precondition.id === id)?.state;
}

describe('what FortiAuthenticator logs, and what the probes see,', () => {
  test('errors on a path that is inspected: one cause, and the lines are its evidence', async () => {
    await lab.inspect(true);
    await lab.applianceLog.say(POLLING_ERROR);
    const found = await diagnosis(
      (seen) => hasCause('tls-intercepted')(seen) && stateOf(seen, 'polling') === 'blocked',
    );
    expect(found.causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
    expect(found.causes[0]?.evidence.join('\n')).toContain(POLLING_ERROR);
    expect(found.causes[0]?.summary).not.toContain('has not logged any errors');
  });

  test("errors on a path that is clean: FortiAuthenticator's own path differs, and by what", async () => {
    await lab.applianceLog.say(POLLING_ERROR);
    const { ready, causes } = await diagnosis(hasCause('polling-failing'));
    expect(ready).toBe('not-ready');
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({
      subject: 'fac-1',
      severity: 'critical',
      summary: expect.stringMatching(
        /No fault on the path from ftm-watch explains this\. On FortiGate .+, policy 5 "fac-to-internet" matches/u,
      ),
    });
    expect(causes[0]?.remedy[0]).toMatch(/^On FortiGate .+, check policy 5 .+, which matches fac-1 \(127\.0\.0\.1\)/u);
    expect(causes[0]?.evidence.join('\n')).toContain(POLLING_ERROR);
  });

  test('no errors on a path that is inspected: the cause stays, and FortiAuthenticator seems unaffected', async () => {
    await lab.applianceLog.say(HARMLESS);
    await lab.inspect(true);
    const { causes } = await diagnosis(
      ({ causes: [first] }) => first?.summary.includes('has not logged any errors so far') === true,
    );
    expect(causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
  });

  test('errors that an outage explains raise no alarm after it, although they are still in the window', async () => {
    await lab.inspect(true);
    await lab.applianceLog.say(POLLING_ERROR);
    const broken = await diagnosis((seen) => stateOf(seen, 'polling') === 'blocked');
    expect(broken.causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
    await lab.inspect(false);
    const fixed = await diagnosis((seen) => stateOf(seen, 'tls-genuine') === 'ok');
    expect(fixed).toMatchObject({ ready: 'ready', causes: [] });
    expect(stateOf(fixed, 'polling')).toBe('ok');
  });

  test('a member of the cluster that is gone: a warning, and activation can work', async () => {
    await lab.applianceLog.say(STALE_MEMBER);
    const found = await diagnosis(({ causes }) => causes.length > 0);
    expect(found.ready).toBe('ready');
    expect(found.causes).toMatchObject([{ id: 'license-not-registered', severity: 'warning', subject: 'fac-1' }]);
    expect(found.causes[0]?.evidence.join('\n')).toContain('FAC-VM0000000777');
    expect(found.causes[0]?.remedy.join('\n')).toContain('former member');
    expect([found.causes[0]?.summary, stateOf(found, 'polling')]).toEqual([
      expect.stringContaining('This is not an outage'),
      'warning',
    ]);
  });

  test('users whom it disabled in an outage: beside the outage, which says not to restart it', async () => {
    lab.appliance.state.firmware = 'FACVMKVM v6.5.4, build1234 (GA)';
    await lab.inspect(true);
    await lab.applianceLog.say(POLLING_ERROR);
    await lab.applianceLog.say(DEPROVISIONED);
    const warned = ({ causes }: DiagnosisJson): boolean =>
      causes.some(({ summary }) => summary.includes('Do not restart fac-1 (6.5.4): a restart while'));
    const { ready, causes } = await diagnosis((seen) => hasCause('users-disabled')(seen) && warned(seen));
    expect(ready).toBe('not-ready');
    expect(causes.map(({ id, severity, subject }) => `${id} ${severity} ${subject.replace(/:\d+$/u, '')}`)).toEqual([
      `tls-intercepted critical ${LICENSE_HOST}`,
      'users-disabled critical users of fac-1',
    ]);
    expect(causes[1]?.remedy.join('\n')).toContain('which bypasses the second factor');
    expect(causes[1]?.evidence.join('\n')).not.toContain('a.user');
  });

  test('a failover of its cluster: a warning', async () => {
    await lab.applianceLog.say('SNMP Trap (HA status has changed) sent to configured recipients');
    const { ready, causes } = await diagnosis(hasCause('appliance-fault-logged'));
    expect(ready).toBe('ready');
    expect(causes).toMatchObject([{ severity: 'warning', subject: 'fac-1 itself' }]);
    expect(causes[0]?.summary).toMatch(/^fac-1: The HA status of FortiAuthenticator has changed/u);
  });

  test('a line of the firewall that admits to inspect: the cause, with policy and profile', async () => {
    const ofUser =
      fixtureLines('fortigate-samples.txt').find((candidate) => candidate.includes(`sni="${LICENSE_HOST}"`)) ?? '';
    const ofUnit = ofUser.replace('srcip=10.0.0.5', 'srcip=127.0.0.1').replace(/dstip=\S+/u, 'dstip=127.0.0.1');
    await sendOverTcp(await daemon.syslogTcpPort(), ofUser);
    const suspicion = await diagnosis(hasCause('tls-intercepted'));
    expect(suspicion).toMatchObject({ ready: 'ready', causes: [{ severity: 'warning', confidence: 'suspected' }] });
    await sendOverTcp(await daemon.syslogTcpPort(), ofUnit);
    const { causes } = await diagnosis(({ ready }) => ready === 'not-ready');
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({ product: 'Fortinet FortiGate', confidence: 'confirmed' });
    expect(causes[0]?.evidence.join('\n')).toContain('policy 20, profile "custom-deep-inspection", source 127.0.0.1');
    expect(causes[0]?.remedy.join('\n')).toContain('source 127.0.0.1 only');
  });
});
