import { zoneOf } from '../core/time-text.ts';
import { incidentMarkdown } from '../document/incident-markdown.ts';
import { notificationEvents } from '../notify/channels/deliveries.ts';
import { configOf, type Invocation, needsNothing } from './terminal.ts';
import { storedIncident } from './verify-repair.ts';

/** Uses the format of the page `/incidents/ID.md`. */
export async function printIncident(id: string, terminal: Invocation): Promise<number> {
  const config = await configOf(terminal, needsNothing);
  const { site, timezone, web } = config;
  const { incident, outboxEntries, about } = storedIncident(config, id);
  const zone = zoneOf(timezone);
  const past = { incident, changes: about.changes, omittedChanges: about.omitted, complete: true };
  const notifications = notificationEvents(outboxEntries, (at) => zone.text(at));
  const reader = { site, publicUrl: web.publicUrl, zone, now: terminal.clock.now() };
  terminal.output.write(incidentMarkdown(past, notifications, reader));
  return 0;
}
