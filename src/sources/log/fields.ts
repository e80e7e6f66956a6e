const FIELD = /([a-z_][\w-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?:\s+|$)/gu;
const MAX_FIELDS = 128;

/**
 * The fields of a `key=value key="value"` line. Of several with the same name the first counts: what a client sends
 * comes after what the device says.
 */
export function readFields(line: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, key = '', quoted, bare] of line.matchAll(FIELD)) {
    if (fields.size >= MAX_FIELDS) break;
    if (!fields.has(key)) fields.set(key, quoted ?? bare ?? '');
  }
  return fields;
}
