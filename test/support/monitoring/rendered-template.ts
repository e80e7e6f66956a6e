import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Returns what amtool makes of a template that uses the shipped ones. @param data a group of alerts, in JSON */
export async function renderTemplate(data: string, template: string, type: 'text' | 'html'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-template-'));
  const file = join(folder, 'data.json');
  try {
    await writeFile(file, data);
    const shipped = '--template.glob=deploy/alertmanager/templates/*.tmpl';
    const own = [`--template.text=${template}`, `--template.type=${type}`, `--template.data=${file}`];
    const { stdout } = await run('amtool', ['template', 'render', shipped, ...own]);
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
