import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DiagnosisJson } from '../../../src/engine/diagnosis-json.ts';
import { createLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { LICENSE, SERIALS } from '../../lab/site.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';

const NEW_SERIAL = 'FAC-VM0000000077';
const NEW_ADDRESS = '10.0.0.6';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

function preflight(...more: readonly string[]): Promise<Run> {
  return runHere(['preflight', 'migration', ...more, '-c', lab.configFile], { cwd: lab.folder });
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
  expect(text).toContain('2 users with 32 tokens');
  expect(text).toContain(`${LICENSE}: registered to ${SERIALS.unit}, not to ${NEW_SERIAL}`);
  expect(text).toContain(`To the FortiAuthenticator with the serial number ${NEW_SERIAL}`);
  expect(text).toContain(
    `A firewall policy allows traffic from the new address ${NEW_ADDRESS} without inspection: yes`,
  );
  expect(asked.exitCode).toBe(1);
  const paths = lab.firewallApi.requests.slice(before).map(({ path }) => path);
  expect(paths.join('\n')).toContain(NEW_ADDRESS);

  const same = await preflight('--verify', 'snapshot.json');
  expect(same.stdout).toContain(`to do: ${LICENSE} is registered to ${SERIALS.unit}, not to ${NEW_SERIAL}`);
  // The unit with the old serial number still responds.
  expect(same.exitCode).toBe(2);

  lab.appliance.state.serial = NEW_SERIAL;
  lab.register(NEW_SERIAL);
  const moved = await preflight('--verify', 'snapshot.json', '--json');
  const { changes } = JSON.parse(moved.stdout) as { readonly changes: readonly { readonly what: string }[] };
  expect(changes.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      `The serial number is ${NEW_SERIAL} (previously ${SERIALS.unit})`,
      `${LICENSE} is registered to ${NEW_SERIAL}`,
    ]),
  );
});

test('--users lists who needs a new token, on the terminal alone', async () => {
  const { state } = lab.appliance;
  state.serial = SERIALS.unit;
  lab.register(SERIALS.unit);
  state.maxPage = 2;
  const user = (username: string, token: number, type = 'ftm'): Readonly<Record<string, unknown>> => ({
    username,
    token_auth: true,
    token_type: type,
    token_serial: `FTKMOB${token.toString(16).toUpperCase().padStart(10, '0')}`,
  });
  state.tokens = [
    { count: 6, status: 'assigned', license: LICENSE },
    { count: 2, status: 'assigned', license: 'EFTM000000000002' },
  ];
  state.users = {
    localusers: [user('zoe', 3), user('mail-only', 4, 'email'), user('adam', 5)],
    ldapusers: [user('of-other-licence', 6), user('eve\u202E', 2)],
    radiususers: [],
  };
  lab.appliance.setFault({ kind: 'status', status: 403 }, 'radiususers');

  const part = ['--new-serial', NEW_SERIAL, '--license', LICENSE, '--users', '-o', 'users.json', '--force'];
  const asked = await preflight(...part);
  const [, listed = ''] = asked.stdout.split('\n\nUsers who need a new token ');
  expect(listed.replaceAll(/\s+/gu, ' ')).toBe(
    '(3) Users from "radiususers" are missing, because the API account cannot read this resource or the firmware does ' +
      "not support it. Give the account's admin profile permission to view these users. " +
      'adam (local, FTKMOB0000000005) ' +
      'eve\\u{202E} (LDAP, FTKMOB0000000002) zoe (local, FTKMOB0000000003) ',
  );
  expect(await readFile(join(lab.folder, 'users.json'), 'utf8')).not.toContain('adam');

  const whole = await preflight('--new-serial', NEW_SERIAL, '--users', '-o', 'users.json', '--force', '--json');
  const { users } = JSON.parse(whole.stdout) as {
    readonly users: { readonly users: readonly { readonly name: string }[] };
  };
  expect(users.users.map(({ name }) => name)).toEqual(['adam', 'eve\u202E', 'of-other-licence', 'zoe']);
  const stays = await preflight('--users', '-o', 'users.json', '--force');
  expect(stays.stdout).toContain('Users who need a new token (0)');
});

test('the login of the unit at Exchange Online is a warning in check and a note in the plan', async () => {
  const { state } = lab.appliance;
  const [before] = state.smtpServers;
  state.smtpServers = [{ ...before, address: 'smtp.office365.com', port: 587, authentication: true }];
  const { stdout } = await runHere(['check', '--json', '-c', lab.configFile], { cwd: lab.folder });
  const { preconditions, causes } = JSON.parse(stdout) as DiagnosisJson;
  expect(preconditions.find(({ id }) => id === 'mail')?.state).toBe('warning');
  const retiring = causes.find(({ id }) => id === 'mail-login-retiring');
  expect(retiring).toMatchObject({ severity: 'warning', confidence: 'confirmed', subject: 'smtp.office365.com' });
  expect(retiring?.evidence.join()).toContain('fac-1');

  const args = ['-o', 'mail.json', '--force', '--json'];
  const planned = JSON.parse((await preflight(...args)).stdout) as { readonly notes: readonly string[] };
  expect(planned.notes.join()).toContain(retiring?.summary);
  state.smtpServers = [{ ...before, address: 'smtp.office365.com', port: 587, authentication: false }];
  const without = JSON.parse((await preflight(...args)).stdout) as { readonly notes: readonly string[] };
  expect(without.notes.join()).not.toContain('smtp.office365.com');
});

test('what is typed wrongly is said with what to do, and nothing is written over', async () => {
  const unknown = await preflight('--unit', 'fac-9');
  expect([unknown.exitCode, unknown.stderr]).toEqual([
    3,
    'There is no appliance "fac-9". The configured appliances are: fac-1\n',
  ]);
  const several = join(lab.folder, 'several.yaml');
  const configured = JSON.parse(await readFile(lab.configFile, 'utf8')) as { readonly appliances: readonly object[] };
  const appliances = [...configured.appliances, { name: 'fac-2' }];
  await writeFile(several, JSON.stringify({ ...configured, appliances }));
  const both = await runHere(['preflight', 'migration', '-c', several], { cwd: lab.folder });
  expect([both.exitCode, both.stderr]).toEqual([
    3,
    '2 FortiAuthenticators are configured. Use --unit to specify which unit will change: fac-1, fac-2. ' +
      'If multiple units will change, run this command once for each of them.\n',
  ]);
  const address = await preflight('--new-address', 'there');
  expect(address.stderr).toContain('Expected an IP address');
  const kept = await readFile(join(lab.folder, 'snapshot.json'), 'utf8');
  const again = await preflight('-o', 'snapshot.json');
  expect(again.stderr).toContain('use "--force" to overwrite it');
  expect(await readFile(join(lab.folder, 'snapshot.json'), 'utf8')).toBe(kept);
  const missing = await preflight('--verify', 'nowhere.json');
  expect([missing.exitCode, missing.stderr.includes('Cannot read the snapshot')]).toEqual([3, true]);
});
