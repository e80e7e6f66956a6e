const LONGEST = 60;

/**
 * A text as part of a file's name that every system and mail program takes: letters without marks, digits, `.`, `_` and
 * `-`.
 */
export function fileName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\w.-]+/gu, '-')
    .slice(0, LONGEST)
    .replaceAll(/^[-.]+|[-.]+$/gu, '');
  return plain === '' ? 'unnamed' : plain;
}
