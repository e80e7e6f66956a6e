import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { LICENSE, SERIALS } from '../../lab/site.ts';
import { type Run, runFtmWatch } from '../../support/ftm-watch.ts';

const NEW_SERIAL = 'FAC-VM0000000077';
const NEW_ADDRESS = '10.0.0.6';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

function preflight(...more: readonly string[]): Promise<Run> {
  return runFtmWatch(['preflight', 'migration', ...more, '-c', lab.configFile], { cwd: lab.folder });
}

test('a unit is replaced: the plan, the ticket, the policy of the new address, and the comparison afterwards', async () => {
  const before = lab.firewallApi.requests.length;
  const asked = await preflight(
    '--new-serial',
    NEW_SERIAL,
    '--new-address',
    NEW_ADDRESS,
    '-o',
    'snapshot.json',
    '--force',
  );
  expect(asked.stderr).toContain(`ftm-watch preflight migration -c ${lab.configFile} --verify `);
  const text = asked.stdout.replaceAll(/\s+/gu, ' ');
  expect(text).toContain(`fac-1: serial number ${SERIALS.unit}, firmware 8.0.3`);
  expect(text).toContain('bound to one IP address of the unit');
  expect(text).toContain(`execute fortitoken-cloud ftm-migrate ${LICENSE}`);
  expect(text).toContain('2 users of 32 tokens');
  expect(text).toContain(`${LICENSE}: registered to ${SERIALS.unit}, not to ${NEW_SERIAL}`);
  expect(text).toContain(`To the FortiAuthenticator with the serial number ${NEW_SERIAL}`);
  expect(text).toContain(`A firewall policy lets the new address ${NEW_ADDRESS} through without inspection: holds`);
  expect(asked.exitCode).toBe(1);
  const paths = lab.firewallApi.requests.slice(before).map(({ path }) => path);
  expect(paths.join('\n')).toContain(NEW_ADDRESS);

  const same = await preflight('--verify', 'snapshot.json');
  expect(same.stdout).toContain(`to do: ${LICENSE} is registered to ${SERIALS.unit}, not to ${NEW_SERIAL}`);
  // The unit with the old number still answers.
  expect(same.exitCode).toBe(2);

  lab.appliance.state.serial = NEW_SERIAL;
  lab.register(NEW_SERIAL);
  const moved = await preflight('--verify', 'snapshot.json', '--json');
  const { changes } = JSON.parse(moved.stdout) as { readonly changes: readonly { readonly what: string }[] };
  expect(changes.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      `Serial number ${NEW_SERIAL}, before ${SERIALS.unit}`,
      `${LICENSE} is registered to ${NEW_SERIAL}`,
    ]),
  );
});

test('what is typed wrongly is said with what to do, and nothing is written over', async () => {
  const unknown = await preflight('--unit', 'fac-9');
  expect([unknown.exitCode, unknown.stderr]).toEqual([3, 'No appliance is called "fac-9". --unit is one of: fac-1\n']);
  const several = join(lab.folder, 'several.yaml');
  const configured = JSON.parse(await readFile(lab.configFile, 'utf8')) as { readonly appliances: readonly object[] };
  const appliances = [...configured.appliances, { name: 'fac-2' }];
  await writeFile(several, JSON.stringify({ ...configured, appliances }));
  const both = await runFtmWatch(['preflight', 'migration', '-c', several], { cwd: lab.folder });
  expect([both.exitCode, both.stderr]).toEqual([
    3,
    '2 FortiAuthenticators are configured: add --unit with the name of the one that changes, one of: fac-1, fac-2. ' +
      'For several, run this once for each.\n',
  ]);
  const address = await preflight('--new-address', 'there');
  expect(address.stderr).toContain('Expected an IP address');
  const kept = await readFile(join(lab.folder, 'snapshot.json'), 'utf8');
  const again = await preflight('-o', 'snapshot.json');
  expect(again.stderr).toContain('"--force" replaces it');
  expect(await readFile(join(lab.folder, 'snapshot.json'), 'utf8')).toBe(kept);
  const missing = await preflight('--verify', 'nowhere.json');
  expect([missing.exitCode, missing.stderr.includes('Cannot read the snapshot')]).toEqual([3, true]);
});
