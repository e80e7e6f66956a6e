import type { EpochMs } from '../../core/clock.ts';
import { cutToBytes, visibleText } from '../../core/visible-text.ts';

/**
 * An event of the Common Event Format (ArcSight's "CEF Implementation Standard", version 27). The names are those of
 * the standard, except for `custom`, which contains fields that the standard's dictionary does not have.
 */
interface CefEvent {
  readonly product: string;
  readonly version: string;
  /** Identifies the type of event. */
  readonly deviceEventClassId: string;
  /** Describes the type of event, without what is in other fields. */
  readonly name: string;
  /** 0 to 3: low. 4 to 6: medium. 7 and 8: high. 9 and 10: very high. */
  readonly severity: number;
  readonly receiptTime: EpochMs;
  readonly startTime: EpochMs | null;
  readonly endTime: EpochMs | null;
  readonly deviceHostName: string;
  readonly category: string;
  readonly externalId: string;
  /** At most six values by their labels. A value keeps its number if others are empty. */
  readonly custom: Readonly<Record<string, string>>;
  readonly message: readonly string[];
}

/** The standard allows at least this length in every field with untrusted text, except for `dvchost`. */
const MAX_VALUE_BYTES = 200;
/** The length of `dvchost`. */
const MAX_HOST_BYTES = 100;

/** Returns one line. The message is cut so that the line has at most `bytes` bytes, which must be at least 1,700. */
export function cefLine(event: CefEvent, bytes: number): string {
  const { product, version, deviceEventClassId, name, severity } = event;
  const header = [product, product, version, deviceEventClassId, name, String(severity)].map((value) =>
    limited(value).replaceAll(/[\\|]/gu, String.raw`\$&`),
  );
  const fields = fieldsOf(event).map(([key, value]) => `${key}=${inExtension(value)}`);
  const head = `CEF:0|${header.join('|')}|${fields.join(' ')}`;
  // Escaping can double the length.
  const room = Math.floor((bytes - Buffer.byteLength(`${head} msg=`)) / 2);
  const lines = event.message.map((line) => visibleText(line, bytes)).join('\n');
  const message = inExtension(cutToBytes(lines, room).trim());
  return message === '' ? head : `${head} msg=${message}`;
}

/** Without fields that are empty. */
function fieldsOf(event: CefEvent): readonly (readonly [key: string, value: string])[] {
  const { receiptTime, startTime, endTime, deviceHostName, category, externalId, custom } = event;
  const fields: readonly (readonly [key: string, value: string])[] = [
    ['rt', String(receiptTime)],
    ['start', startTime === null ? '' : String(startTime)],
    ['end', endTime === null ? '' : String(endTime)],
    ['dvchost', limited(deviceHostName, MAX_HOST_BYTES)],
    ['cat', limited(category)],
    ['externalId', limited(externalId)],
  ];
  const strings = Object.entries(custom).flatMap(([label, value], index) => {
    const key = `cs${String(index + 1)}`;
    const text = limited(value);
    return text === '' ? [] : [[key, text] as const, [`${key}Label`, label] as const];
  });
  return [...fields.filter(([, value]) => value !== ''), ...strings];
}

/** Spaces at the end of a value would be part of the separator. */
function limited(value: string, bytes = MAX_VALUE_BYTES): string {
  return cutToBytes(visibleText(value, bytes), bytes).trim();
}

function inExtension(value: string): string {
  return value.replaceAll(/[\\=]/gu, String.raw`\$&`).replaceAll('\n', String.raw`\n`);
}
