import type { Incident } from '../engine/incident/incident.ts';
import { incidentsToJson } from './incident-json.ts';

/** Names of `/api/v1/incidents`, in the order of the columns. */
const COLUMNS = [
  'id',
  'status',
  'cause',
  'subject',
  'severity',
  'confidence',
  'summary',
  'since',
  'openedAt',
  'closedAt',
  'lastSeen',
  'flapping',
  'notifications',
] as const;

/** A table (RFC 4180) with a line of names. */
export function incidentsToCsv(incidents: readonly Incident[]): string {
  const rows = incidentsToJson(incidents).map((incident) => COLUMNS.map((name) => cell(String(incident[name] ?? ''))));
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

/**
 * Subjects and summaries quote strangers, and spreadsheets run what begins like a formula: an apostrophe makes it a text
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n']/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
