import { zoneOf } from '../core/time-text.ts';
import { incidentMarkdown } from '../web/incident-markdown.ts';
import { configOf, type Invocation, needsNothing } from './terminal.ts';
import { storedIncident } from './verify-repair.ts';

/** Uses the format of the page `/incidents/ID.md`. */
export async function printIncident(id: string, terminal: Invocation): Promise<number> {
  const config = await configOf(terminal, needsNothing);
  const { site, timezone, web } = config;
  const { incident, outboxEntries, about } = storedIncident(config, id);
  const record = { incident, outboxEntries, changes: about.changes, omittedChanges: about.omitted, complete: true };
  terminal.output.write(
    incidentMarkdown(record, { site, publicUrl: web.publicUrl, zone: zoneOf(timezone), now: terminal.clock.now() }),
  );
  return 0;
}
