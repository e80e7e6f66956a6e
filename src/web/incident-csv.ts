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

/**
 * A table (RFC 4180), separated by commas, with a line of names. No cell has a semicolon, a tab or a line break: a
 * spreadsheet that separates by another character sees one column, and never a cell that a stranger has begun.
 */
export function incidentsToCsv(incidents: readonly Incident[]): string {
  const rows = incidentsToJson(incidents).map((incident) => COLUMNS.map((name) => cell(String(incident[name] ?? ''))));
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

/**
 * Subjects and summaries quote strangers, and spreadsheets run what begins like a formula: an apostrophe makes it a
 * text, also after a comma, where a careless reader may begin a cell
 * (https://owasp.org/www-community/attacks/CSV_Injection). Full-width signs count in some languages.
 */
function cell(text: string): string {
  const harmless = text
    .replaceAll(/[\t\r\n\v\f\u0085\u2028\u2029]+/gu, ' ')
    .replaceAll(';', ',')
    .replaceAll(/(^|,)(?=\s*[=+\-@＝＋－＠])/gu, "$1'");
  return /[",']/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
