/** Reads messages to a collector, based only on the `.proto` files of opentelemetry-proto v1. */

type Field = readonly [number: number, value: bigint | Uint8Array];

/** Returns the fields of one message, in order. @throws on invalid bytes */
function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let at = 0;
  function varint(): bigint {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = view.getUint8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return value;
    }
  }
  while (at < bytes.length) {
    const tag = varint();
    const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)];
    if (wire === 0) fields.push([number, varint()]);
    else if (wire === 1) {
      fields.push([number, view.getBigUint64(at, true)]);
      at += 8;
    } else if (wire === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error(`Cannot read field ${String(number)}: it is cut`);
      fields.push([number, bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`Cannot read field ${String(number)}: wire type ${String(wire)}`);
  }
  return fields;
}

type Kind = 'text' | 'integer' | 'double' | 'integers' | 'doubles' | Message;

interface Message {
  readonly [number: number]: readonly [name: string, kind: Kind];
}

const KEY_VALUE: Message = { 1: ['key', 'text'], 2: ['value', { 1: ['stringValue', 'text'] }] };
const NUMBER_POINT: Message = {
  2: ['startTimeUnixNano', 'integer'],
  3: ['timeUnixNano', 'integer'],
  4: ['asDouble', 'double'],
  7: ['attributes', KEY_VALUE],
};
const HISTOGRAM_POINT: Message = {
  2: ['startTimeUnixNano', 'integer'],
  3: ['timeUnixNano', 'integer'],
  4: ['count', 'integer'],
  5: ['sum', 'double'],
  6: ['bucketCounts', 'integers'],
  7: ['explicitBounds', 'doubles'],
  9: ['attributes', KEY_VALUE],
};
const METRIC: Message = {
  1: ['name', 'text'],
  2: ['description', 'text'],
  5: ['gauge', { 1: ['dataPoints', NUMBER_POINT] }],
  7: [
    'sum',
    { 1: ['dataPoints', NUMBER_POINT], 2: ['aggregationTemporality', 'integer'], 3: ['isMonotonic', 'integer'] },
  ],
  9: ['histogram', { 1: ['dataPoints', HISTOGRAM_POINT], 2: ['aggregationTemporality', 'integer'] }],
};
const REQUEST: Message = {
  1: [
    'resourceMetrics',
    { 1: ['resource', { 1: ['attributes', KEY_VALUE] }], 2: ['scopeMetrics', { 2: ['metrics', METRIC] }] },
  ],
};

/** A message, with each field as a list of its values: `{ name: ['a'], sum: [{ … }] }`. */
export type Decoded = Readonly<Record<string, readonly unknown[]>>;

/** Decodes an ExportMetricsServiceRequest. @throws on a field that is not in the `.proto` files */
export function decodeRequest(bytes: Uint8Array): Decoded {
  return decode(bytes, REQUEST);
}

function decode(bytes: Uint8Array, message: Message): Decoded {
  const decoded: Record<string, unknown[]> = {};
  for (const [number, value] of fieldsOf(bytes)) {
    const field = message[number];
    if (field === undefined) throw new Error(`Cannot read the field ${String(number)}`);
    (decoded[field[0]] ??= []).push(valueOf(value, field[1]));
  }
  return decoded;
}

function valueOf(value: bigint | Uint8Array, kind: Kind): unknown {
  if (typeof value === 'bigint') return kind === 'double' ? doubleOf(value) : Number(value);
  if (kind === 'text') return Buffer.from(value).toString('utf8');
  if (kind === 'integers' || kind === 'doubles') {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const bits = Array.from({ length: value.length / 8 }, (_, index) => view.getBigUint64(8 * index, true));
    return bits.map((each) => (kind === 'doubles' ? doubleOf(each) : Number(each)));
  }
  if (typeof kind === 'string') throw new Error(`Cannot read ${kind} from bytes`);
  return decode(value, kind);
}

function doubleOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}
