import { zoneOf } from '../core/time-text.ts';
import { messageOf } from '../text/message-of.ts';
import { incidentMarkdown } from '../web/incident-markdown.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { loadOrExplain, type Invocation } from './terminal.ts';
import { storedIncident } from './verify-repair.ts';

/** Uses the format of the page `/incidents/ID.md`. */
export async function printIncident(id: string, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, () => false);
  if (config === null) return EXIT_UNKNOWN;
  const { site, timezone, web } = config;
  try {
    const { incident, outboxEntries, about } = storedIncident(config, id);
    const record = { incident, outboxEntries, changes: about.changes, omittedChanges: about.omitted, complete: true };
    terminal.output.write(incidentMarkdown(record, { site, publicUrl: web.publicUrl, zone: zoneOf(timezone) }));
    return 0;
  } catch (error) {
    terminal.errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}
