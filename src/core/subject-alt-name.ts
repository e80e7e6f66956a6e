import { visibleText } from './visible-text.ts';

/** Some certificates of content networks have several hundred names. */
const MAX_NAMES = 1000;
const MAX_NAME = 256;

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const DNS = 'DNS:';
const IP = 'IP Address:';

/**
 * Reads the names of a subjectAltName extension as Node prints them: `DNS:a.example, IP Address:192.0.2.1`, a name with
 * special characters in JSON quotes. Other kinds of names are left out, and so are those after the thousandth.
 */
export function parseSubjectAltName(text: string | undefined): AlternativeNames {
  const entries = splitEntries(text ?? '');
  return { dnsNames: valuesOf(entries, DNS), ipAddresses: valuesOf(entries, IP) };
}

/** Commas inside quotes do not separate: that is what the quotes are for (CVE-2021-44532). */
function splitEntries(text: string): readonly string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/gu) ?? []).slice(0, MAX_NAMES).map((entry) => entry.trim());
}

function valuesOf(entries: readonly string[], prefix: string): readonly string[] {
  return entries
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => visibleText(unquote(entry.slice(prefix.length)), MAX_NAME));
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'string' ? parsed : value;
  } catch {
    return value;
  }
}
