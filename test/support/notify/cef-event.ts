/**
 * A reader of the Common Event Format that accepts only what ArcSight's "CEF Implementation Standard" (version 27)
 * allows: https://www.microfocus.com/documentation/arcsight/arcsight-smartconnectors-25.1/cef-implementation-standard.
 */
export interface ReadCefEvent {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly eventClass: string;
  readonly name: string;
  readonly severity: number;
  readonly extension: Readonly<Record<string, string>>;
}

/** "Header Field Definitions": the sizes of the fields after the version of the format, except for the severity. */
const HEADER_SIZES = [63, 63, 31, 1023, 512];

/** "ArcSight Extension Dictionary": the length of each text. Null for a time stamp. */
const DICTIONARY: Readonly<Record<string, number | null>> = {
  cat: 1023,
  dvchost: 100,
  end: null,
  externalId: 40,
  msg: 1023,
  rt: null,
  start: null,
  ...Object.fromEntries(
    ['1', '2', '3', '4', '5', '6'].flatMap((number) => [
      [`cs${number}`, 4000],
      [`cs${number}Label`, 1023],
    ]),
  ),
};

/** @throws {Error} if the text is not an event of CEF version 0 */
export function readCefEvent(text: string): ReadCefEvent {
  if (!text.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) throw new Error('It is not one line of text');
  const parts = /^CEF:0\|((?:(?:[^\\|]|\\[\\|])*\|){6})(.*)$/u.exec(text);
  if (parts === null) throw new Error('It has no header');
  const [, header = '', extension = ''] = parts;
  const fields = [...header.matchAll(/((?:[^\\|]|\\[\\|])*)\|/gu)].map(([, field = '']) =>
    field.replaceAll(/\\([\\|])/gu, '$1'),
  );
  for (const [index, size] of HEADER_SIZES.entries()) limit(fields[index] ?? '', 1, size);
  const [vendor = '', product = '', version = '', eventClass = '', name = '', severity = ''] = fields;
  if (!/^(?:\d|10)$/u.test(severity)) throw new Error(`Not a severity: "${severity}"`);
  return {
    vendor,
    product,
    version,
    eventClass,
    name,
    severity: Number(severity),
    extension: readExtension(extension),
  };
}

/** A value ends before the last space in front of the next key. */
function readExtension(text: string): Readonly<Record<string, string>> {
  const starts = [...text.matchAll(/(?<=^| )(\w+)=/gu)];
  const values: Record<string, string> = {};
  if ((starts[0]?.index ?? text.length) > 0) throw new Error(`It does not begin with a key: "${text}"`);
  for (const [index, start] of starts.entries()) {
    const [whole, key = ''] = start;
    const next = starts[index + 1];
    const value = text.slice(start.index + whole.length, next === undefined ? text.length : next.index - 1);
    if (Object.hasOwn(values, key)) throw new Error(`The key "${key}" is there twice`);
    values[key] = readValue(key, value);
  }
  for (const key of Object.keys(values)) {
    const partner = key.endsWith('Label') ? key.slice(0, -'Label'.length) : `${key}Label`;
    if (key.startsWith('cs') && !Object.hasOwn(values, partner)) throw new Error(`"${key}" lacks "${partner}"`);
  }
  return values;
}

function readValue(key: string, escaped: string): string {
  if (!/^(?:[^\\=]|\\[\\=nr])*$/u.test(escaped)) throw new Error(`Not escaped: ${key}=${escaped}`);
  if (escaped !== escaped.trim()) throw new Error(`The spaces around "${escaped}" would be lost`);
  const value = escaped.replaceAll(/\\(.)/gu, (_, character: string) =>
    character === 'n' ? '\n' : character === 'r' ? '\r' : character,
  );
  const length = DICTIONARY[key];
  if (length === undefined) throw new Error(`Not a key of the dictionary: "${key}"`);
  if (length === null && !/^\d{13}$/u.test(value)) throw new Error(`Not a time in milliseconds: ${key}=${value}`);
  if (length !== null) limit(value, 1, length);
  return value;
}

function limit(text: string, least: number, most: number): void {
  const { length } = Buffer.from(text);
  if (length < least || length > most) throw new Error(`It has ${String(length)} bytes: "${text}"`);
}
