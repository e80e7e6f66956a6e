import type { DistinguishedName } from '../core/certificate.ts';
import { oncePer } from '../core/once-per.ts';
import { visibleText } from '../core/visible-text.ts';

const MAX_ATTRIBUTES = 64;
const MAX_VALUE = 256;

/**
 * Parses the format that Node prints. Each line is one relative name, `TYPE=value`, with several attributes joined by a
 * plus sign and spaces, and escapes as in RFC 2253 §2.4. Control characters are made visible. Returns at most 64
 * attributes, each with a value of at most 256 characters.
 * @param text undefined for an empty name
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

/**
 * Decodes RFC 2253 escapes, such as `\,` and `\0A`. The value is truncated first, because it can be as long as the
 * certificate.
 */
function unescape(value: string): string {
  return value
    .slice(0, 4 * MAX_VALUE)
    .replaceAll(/\\(?:([0-9A-F]{2})|(.))/gu, (_, hex: string | undefined, character: string | undefined) =>
      hex === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

export function attributeValues(name: DistinguishedName, type: string): readonly string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

/** For example `C=US, O=Fortinet, CN=fortinet-ca2` or `(empty name)`. */
export const formatDistinguishedName = oncePer(({ attributes }: DistinguishedName): string => {
  if (attributes.length === 0) return '(empty name)';
  return visibleText(attributes.map(({ type, value }) => `${type}=${value}`).join(', '), 512);
});

const MAX_SHORT = 80;

/** The common name, the organization or the organizational unit, whichever is found first. */
export const shortName = oncePer((name: DistinguishedName): string | null => {
  const [value] = ['CN', 'O', 'OU'].flatMap((type) => attributeValues(name, type)).filter((text) => text.trim() !== '');
  return value === undefined ? null : visibleText(value.trim(), MAX_SHORT);
});

/** Short enough for two names to fit in a claim. */
const MAX_CALLED = 60;

/** As `shortName`, for a claim. */
export function called(name: DistinguishedName): string {
  const short = shortName(name);
  return short === null ? 'an authority without a name' : visibleText(short, MAX_CALLED);
}

export function inFull(...names: readonly DistinguishedName[]): readonly string[] {
  return [...new Set(names.map(formatDistinguishedName))];
}

/** Names that are equal under RFC 5280 §7.1 (ignoring case and repeated spaces) have the same key. */
export const distinguishedNameKey = oncePer(({ attributes }: DistinguishedName): string =>
  attributes.map(({ type, value }) => `${type}=${folded(value)}`).join('\n'),
);

export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.attributes.length === right.attributes.length && distinguishedNameKey(left) === distinguishedNameKey(right)
  );
}

function folded(value: string): string {
  return value.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}
