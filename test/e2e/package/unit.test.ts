import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWhere } from '../../support/process/privilege.ts';

const run = promisify(execFile);
const UNIT = 'deploy/systemd/ftm-watch.service';

describeWhere([{ program: 'systemd-analyze' }], 'the unit', () => {
  it('is exposed less than 2.0', async () => {
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT]);
    const [, level = '10'] = /Overall exposure level for ftm-watch\.service: (\d+\.\d)/u.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThan(2);
  });

  it('gives nobody a debugger or a copy of the memory', async () => {
    const unit = readFileSync(UNIT, 'utf8');
    const options = (/^ExecStart=\S+ (.*) \S+ run /mu.exec(unit)?.[1] ?? '').split(' ');
    const script = 'process.kill(process.pid, "SIGUSR1"); setTimeout(() => console.log("alive"), 500)';

    const { stdout, stderr } = await run(process.execPath, [...options, '--inspect-port=0', '-e', script]);
    expect(stdout).toBe('alive\n');
    expect(stderr).toBe('');
    expect(unit).toMatch(/^LimitCORE=0$/mu);
  });

  it('has no mistake that systemd knows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-unit-'));
    const path = join(folder, 'ftm-watch.service');
    writeFileSync(path, readFileSync(UNIT, 'utf8').replaceAll('/usr/lib/ftm-watch/node', process.execPath));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', path]).finally(() => {
      rmSync(folder, { recursive: true });
    });
    // Units of the machine itself may contain mistakes.
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('ftm-watch'))).toEqual([]);
  });
});
