/**
 * One element of a DER encoding (ITU-T X.690 §8.1): its tag, its contents and itself with header. Views, not copies.
 */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  readonly whole: Uint8Array;
}

/**
 * The elements that stand one after another in `bytes`. Null when the encoding is broken, has a tag of more than one
 * byte, an indefinite length (BER only), or more than `limit` elements. @internal
 */
export function readDer(bytes: Uint8Array, limit = 64): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = elements.length < limit ? readElement(bytes, offset) : null;
    if (element === null) return null;
    elements.push(element);
    offset += element.whole.length;
  }
  return elements;
}

/** The elements inside of one that holds others; none where its encoding is broken or it is not there. */
export function children(bytes: Uint8Array | undefined): readonly DerElement[] {
  return bytes === undefined ? [] : (readDer(bytes, 1024) ?? []);
}

function readElement(bytes: Uint8Array, start: number): DerElement | null {
  const tag = bytes[start] ?? 0;
  const length = readLength(bytes, start + 1);
  if (length === null || (tag & 0x1f) === 0x1f) return null;
  const end = length.begin + length.value;
  if (end > bytes.length) return null;
  return { tag, contents: bytes.subarray(length.begin, end), whole: bytes.subarray(start, end) };
}

/** The length that stands at `offset`, and where the contents begin. */
function readLength(bytes: Uint8Array, offset: number): { readonly value: number; readonly begin: number } | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, begin: offset + 1 };
  // Long form: the low bits say how many bytes hold the length (none: indefinite). Three of them already reach 16 MiB.
  const count = first & 0x7f;
  if (count === 0 || count > 3) return null;
  const digits = bytes.subarray(offset + 1, offset + 1 + count);
  return { value: digits.reduce((value, digit) => value * 256 + digit, 0), begin: offset + 1 + count };
}
