import type { DistinguishedName } from './certificate.ts';
import { oncePer } from './once-per.ts';
import { visibleText } from './visible-text.ts';

const MAX_ATTRIBUTES = 64;
const MAX_VALUE = 256;

/**
 * Reads a name as Node prints it: one relative name a line, `TYPE=value`, several of one set joined with ` + `, special
 * characters escaped as in RFC 2253 §2.4. At most 64 attributes, values of at most 256 characters with control
 * characters made visible.
 *
 * @param text what `X509Certificate.subject` gives; undefined (an empty name) gives no attributes
 */
export function parseDistinguishedName(text: string | undefined): DistinguishedName {
  const attributes = (text ?? '')
    .split('\n', MAX_ATTRIBUTES)
    .flatMap((line) => line.split(' + '))
    .slice(0, MAX_ATTRIBUTES)
    .flatMap((part) => {
      const equals = part.indexOf('=');
      if (equals < 1) return [];
      return [
        {
          type: visibleText(part.slice(0, equals), MAX_VALUE),
          value: visibleText(unescape(part.slice(equals + 1)), MAX_VALUE),
        },
      ];
    });
  return { attributes };
}

/** Undoes RFC 2253's `\,` and `\0A`. Cut first: a value may be as long as the certificate. */
function unescape(value: string): string {
  return value
    .slice(0, 4 * MAX_VALUE)
    .replaceAll(/\\(?:([0-9A-F]{2})|(.))/gu, (_, hex: string | undefined, character: string | undefined) =>
      hex === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

/** The values of one attribute type, such as `CN`, in order. */
export function attributeValues(name: DistinguishedName, type: string): readonly string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

/** As on one line, `C=US, O=Fortinet, CN=fortinet-ca2`; `(empty name)` when there is nothing in it. */
export const formatDistinguishedName = oncePer(({ attributes }: DistinguishedName): string => {
  if (attributes.length === 0) return '(empty name)';
  return visibleText(attributes.map(({ type, value }) => `${type}=${value}`).join(', '), 512);
});

const MAX_SHORT = 80;

/**
 * What a person calls an authority: its common name, else its organization or unit; null when it has none of them.
 * Bounded.
 */
export const shortName = oncePer((name: DistinguishedName): string | null => {
  const [value] = ['CN', 'O', 'OU'].flatMap((type) => attributeValues(name, type)).filter((text) => text.trim() !== '');
  return value === undefined ? null : visibleText(value.trim(), MAX_SHORT);
});

/**
 * The same for names that RFC 5280 §7.1 holds to be equal: without regard to case and repeated spaces. Empty for an
 * empty name.
 */
export const distinguishedNameKey = oncePer(({ attributes }: DistinguishedName): string =>
  attributes.map(({ type, value }) => `${type}=${folded(value)}`).join('\n'),
);

/** Whether RFC 5280 §7.1 holds them to be equal. */
export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.attributes.length === right.attributes.length && distinguishedNameKey(left) === distinguishedNameKey(right)
  );
}

function folded(value: string): string {
  return value.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}
