import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { jsonFile } from '../store/json-file.ts';
import { renderEvidence } from '../report/evidence-bundle.ts';
import { examine } from './examine.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

/** Writes the evidence of one round to a file or to standard output. Returns the exit code. */
export async function runReport(path: string | undefined, file: string | null, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return EXIT_UNKNOWN;
  const budget = jsonFile(join(dirname(config.store.path), 'registration-budget.json'));
  const text = renderEvidence(await examine({ ...terminal, config, budget }), config, terminal.version);
  if (file === null) {
    terminal.output.write(text);
  } else {
    await writeFile(file, text, { mode: 0o600 });
    terminal.output.write(`The evidence is in ${file}\n`);
  }
  return 0;
}
