import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { describeWhere } from '../../support/process/privilege.ts';

const run = promisify(execFile);
const ICINGA_COMMAND = join(process.cwd(), 'deploy/icinga/ftm-watch.conf');
const NAGIOS_COMMAND = join(process.cwd(), 'deploy/nagios/ftm-watch.cfg');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-plugin-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describeWhere([{ program: 'icinga2' }, 'root'], 'Icinga takes', () => {
  it('the command, and the service at the hosts that are meant', async () => {
    const config = join(folder, 'icinga2.conf');
    writeFileSync(
      config,
      `include <itl>
       include "${ICINGA_COMMAND}"
       object CheckerComponent "checker" { }
       object Host "monitor" { check_command = "dummy"; vars.ftm_watch = true; vars.ftm_watch_max_age = "30m" }
       object Host "other" { check_command = "dummy" }`,
    );
    const places = ['DataDir', 'CacheDir', 'InitRunDir', 'LogDir'].flatMap((name) => ['-D', `${name}=${folder}`]);
    const asRoot = ['-D', 'RunAsUser=root', '-D', 'RunAsGroup=root'];
    const { stdout } = await run('icinga2', ['daemon', '-C', '-c', config, ...places, ...asRoot]);
    expect(stdout).toContain('Instantiated 2 Hosts.');
    expect(stdout).toContain('Instantiated 1 Service.');
  });
});

const CONTACT = `
define timeperiod {
  timeperiod_name always
  alias always
}
define contact {
  contact_name admin
  host_notification_period always
  service_notification_period always
  host_notification_commands check_ftm_watch
  service_notification_commands check_ftm_watch
}
define host {
  host_name monitor
  address 127.0.0.1
  check_command check_ftm_watch
  max_check_attempts 1
  contacts admin
  check_period always
  notification_period always
}
define service {
  use ftm-activation
  host_name monitor
  contacts admin
  check_period always
  notification_period always
}
`;

describeWhere([{ program: 'nagios4' }, 'root'], 'Nagios takes', () => {
  it('the command and the service', () => {
    const places = ['log_file', 'temp_file', 'status_file', 'lock_file', 'command_file', 'state_retention_file'];
    const caches = ['object_cache_file', 'precached_object_file'];
    writeFileSync(join(folder, 'site.cfg'), CONTACT);
    writeFileSync(
      join(folder, 'nagios.cfg'),
      [
        ...[...places, ...caches].map((key) => `${key}=${join(folder, key)}`),
        'nagios_user=root',
        'nagios_group=root',
        `temp_path=${folder}`,
        `check_result_path=${folder}`,
        `cfg_file=${NAGIOS_COMMAND}`,
        `cfg_file=${join(folder, 'site.cfg')}`,
        'illegal_macro_output_chars=`~$&|\'"<>',
        '',
      ].join('\n'),
    );
    const { stdout, status } = spawnSync('nagios4', ['-v', join(folder, 'nagios.cfg')], { encoding: 'utf8' });
    expect(stdout).toContain('Total Warnings: 0\nTotal Errors:   0');
    expect(stdout).toContain('Checked 1 services.');
    expect(status).toBe(0);
  });
});
