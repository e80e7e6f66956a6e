import '../../../src/demo/lab/reflect-metadata.ts';
import { Extension } from '@peculiar/x509';

/** Returns a DER element of less than 128 bytes. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(parts);
  return new Uint8Array([tag, contents.length, ...contents]);
}

export const dns = (name: string): Uint8Array => der(0x82, Buffer.from(name));

/** Returns an address and its mask, both as bytes. */
export const network = (...bytes: readonly number[]): Uint8Array => der(0x87, new Uint8Array(bytes));

/** Returns a directory name with one organisation (2.5.4.10), as UTF8String or PrintableString. */
export function organisation(name: string, tag: 0x0c | 0x13 = 0x0c): Uint8Array {
  const attribute = der(0x30, new Uint8Array([0x06, 3, 0x55, 0x04, 0x0a]), der(tag, Buffer.from(name)));
  return der(0xa4, der(0x30, der(0x31, attribute)));
}

/** Returns the extension NameConstraints (RFC 5280 §4.2.1.10) with these names. */
export function nameConstraints(permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Extension {
  const lists = [
    ...(permitted.length === 0 ? [] : [der(0xa0, ...permitted.map((name) => der(0x30, name)))]),
    ...(excluded.length === 0 ? [] : [der(0xa1, ...excluded.map((name) => der(0x30, name)))]),
  ];
  return new Extension('2.5.29.30', true, der(0x30, ...lists));
}
