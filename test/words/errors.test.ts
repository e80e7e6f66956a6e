import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { runCommand } from '../support/process/command-line.ts';
import { expectRecorded } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-words-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** No command may leave this machine. */
const NOWHERE = 'licenseServer: { host: 127.0.0.1, port: 1 }\nstore: { path: ftm-watch.sqlite }\n';

const FILES = {
  'good.yaml': NOWHERE,
  'bad.yaml': 'sites: hq\nmail: [{ host: mail.example.org, port: 70000 }]\n',
  'unit.yaml': `appliances: [{ name: fac-1 }]\n${NOWHERE}`,
  'units.yaml': `appliances: [{ name: fac-1 }, { name: fac-2 }]\n${NOWHERE}`,
  'doubtful.yaml': `appliances: [{ name: fac-1 }, { name: fac-2, api: { url: "https://10.0.0.5", user: a, keyFile: secret } }]
logs: { syslog: { udp: "127.0.0.1:0" }, relays: [10.1.2.3/24] }
controlHosts: ["2001:db8::1:443"]
${NOWHERE}`,
  secret: 'hunter2\n',
  'text.txt': 'nothing of interest\n',
};
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
chmodSync(join(folder, 'secret'), 0o644);

/** Command lines that end at once, with the text on standard output and standard error. */
const COMMANDS = [
  '',
  'chekc',
  'check --jsn',
  'check -c missing.yaml',
  'check -c bad.yaml',
  'check --verify',
  'config check -c good.yaml',
  'config check -c bad.yaml',
  'config check -c unit.yaml',
  'config check -c doubtful.yaml',
  'config check -c missing.yaml',
  'config print -c bad.yaml',
  'capture missing.pcap',
  'capture text.txt',
  'capture --print-command fortigate -c good.yaml',
  'capture --print-command appliance -c good.yaml',
  'capture --print-command toaster',
  'capture --attach 1 text.txt -c good.yaml',
  'explain',
  'explain nothing-known -c good.yaml',
  'explain FTM_polling_error:_connection_timeout -c good.yaml',
  'replay missing.log -c good.yaml',
  'replay text.txt -c good.yaml',
  'init -c good.yaml',
  'init -c new.yaml --appliance nonsense/1',
  'init -c new.yaml --mail-server mail:70000',
  'init -c new.yaml --tell nobody',
  'notify test -c good.yaml',
  'notify test -c bad.yaml',
  'preflight migration -c good.yaml',
  'preflight migration -c unit.yaml --new-address nowhere',
  'preflight migration -c unit.yaml --unit fac-9',
  'preflight migration -c unit.yaml --new-firmware new',
  'preflight migration -c unit.yaml --verify missing.json',
  'preflight migration -c unit.yaml --verify text.txt',
  'reload -c good.yaml',
  'report -c bad.yaml',
  'report --since yesterday -c good.yaml',
  'report --incident 1 -c good.yaml',
  'silence add -c good.yaml',
  'silence add --for forever --comment moving -c good.yaml',
  'silence add --for 2h --comment moving -c good.yaml',
  'silence list -c good.yaml',
  'silence remove silence-1 -c good.yaml',
  'store check -c good.yaml',
  'store backup copy.sqlite -c good.yaml',
  'store backup -c bad.yaml',
  'trust show -c good.yaml',
  'trust learn -c bad.yaml',
  'web hash-password',
  'check --timeout soon -c good.yaml',
  'silence add --for soon --comment moving -c good.yaml',
  'demo --speed 1000',
  'trust learn --fingerprint zz -c good.yaml',
  'capture -c good.yaml',
  'report --since 1h --until 2h -c good.yaml',
  'preflight migration --users -o - -c unit.yaml',
  'preflight migration -c units.yaml --new-address 10.0.0.9',
  'store backup folder/missing/copy.sqlite -c good.yaml',
  'store backup text.txt -c good.yaml',
  'run -c missing.yaml',
  'run -c bad.yaml',
  'completion tcsh',
  'completion bash',
  'completion fish',
  'completion zsh',
] as const;

test('what commands say about wrong arguments, files and daemons that do not run', async () => {
  const cases: [string, string][] = [];
  for (const line of COMMANDS) {
    const args = line.split(' ').filter((word) => word !== '');
    const { code, output, errors } = await runCommand(args, { cwd: folder });
    const text = `${output}${errors}`.replaceAll(folder, '/folder');
    cases.push([`ftm-watch ${line}`.trim(), `exit code ${String(code)}\n${text}`]);
  }
  await expectRecorded('errors', Object.fromEntries(cases));
});
