import { join } from 'node:path';

import { isFaultId } from '../checks/registry.ts';
import { loadSignatures } from '../sources/log/signatures.ts';
import { type ReportArchive, reportArchive } from '../report/report-archive.ts';
import { capturesOf } from './capture.ts';
import { examine, neededToExamine } from './examine.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { logPartOf } from './log-memory.ts';
import { type ReportTarget, reportTarget, type TargetWish, writeWhole } from './report-file.ts';
import { readPeriod, type TypedPeriod } from './report-period.ts';
import { readKept, reportSources } from './report-sources.ts';
import { loadOrExplain, type Invocation, type Terminal } from './terminal.ts';
import { messageOf } from '../text/message-of.ts';

export interface ReportWish extends Omit<TargetWish, 'cwd'> {
  readonly period: TypedPeriod;
  /** Files of packet captures. */
  readonly captures: readonly string[];
}

/** Writes one archive with the evidence of a round and of what came before it. Returns the exit code. */
export async function runReport(wish: ReportWish, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToExamine);
  if (config === null) return EXIT_UNKNOWN;
  try {
    const now = terminal.clock.now();
    const period = readPeriod(wish.period, now);
    const target = await reportTarget({ ...wish, cwd: terminal.cwd });
    // The verdict on the log of now is concluded from all that is kept.
    const kept = await readKept(config, now);
    const signatures = await loadSignatures(config.logs.signatureFiles, isFaultId);
    const log = logPartOf(config, { ...kept, signatures, now });
    const capture =
      wish.captures.length === 0 ? null : await capturesOf(config, { files: wish.captures, all: false }, terminal);
    const examination = await examine({ ...terminal, config, log });
    if (terminal.signal.aborted) throw new Error('The report was called off: nothing was written');
    const sources = await reportSources(config, { ...kept, examination, period, capture }, terminal);
    await deliver(reportArchive(sources), target, { force: wish.force, terminal });
    return 0;
  } catch (error) {
    terminal.errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

async function deliver(
  archive: ReportArchive,
  target: ReportTarget,
  { force, terminal }: { readonly force: boolean; readonly terminal: Terminal },
): Promise<void> {
  if (target.kind === 'output') {
    terminal.output.write(archive.bytes);
    terminal.errors.write(summaryOf(archive, 'standard output'));
    return;
  }
  const path = target.kind === 'file' ? target.path : join(target.path, `${archive.folder}.zip`);
  await writeWhole(path, archive.bytes, force);
  terminal.output.write(summaryOf(archive, path));
}

function summaryOf({ bytes, files, folder }: ReportArchive, path: string): string {
  const width = Math.max(...files.map(({ name }) => name.length));
  return [
    `Wrote ${path} (${sizeText(bytes.length)}), to be attached to a ticket. In ${folder}/:`,
    ...files.map(({ name, size }) => `  ${name.padEnd(width)}  ${sizeText(size)}`),
    'Secrets, names of users, mail addresses and phone numbers were taken out; "What was taken out" in report.html ' +
      'tells more.',
    'Fortinet TAC asks for more, which only you can get: add-by-hand/README.txt lists it, and where to click.',
    '',
  ].join('\n');
}

function sizeText(bytes: number): string {
  return bytes < 1_024 ? `${String(bytes)} bytes` : `${(bytes / 1_024).toFixed(1)} KiB`;
}
