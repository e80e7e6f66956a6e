import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** What an administrator sees of a sensor. The names of the states are those of PRTG. */
export interface SensorView {
  readonly state: 'Up' | 'Warning' | 'Down';
  /** Empty if PRTG shows its own message, such as one about the HTTP status. */
  readonly message: string;
  readonly channels: ReadonlyMap<string, number>;
}

/** A custom sensor, which behaves as the manual describes. */
export interface PrtgSensor {
  /** @throws {Error} if the answer violates the format */
  scanHttp(status: number, body: string): SensorView;
  /** @throws {Error} if the output violates the format */
  scan(output: string): SensorView;
}

type LookupState = z.infer<typeof lookupState>;

/** By the ID of the lookup: the state of each value. */
export type Lookups = ReadonlyMap<string, ReadonlyMap<number, LookupState>>;

const flag = z.literal([0, 1]);
const integer = z.int();
/** One line that PRTG does not cut at a number sign. */
const line = z.string().regex(/^[^#\p{Cc}\p{Cs}]+$/u);
const name = line.max(200).refine((text) => text.trim() === text);

/** https://www.paessler.com/manuals/prtg/custom_sensors#advanced_sensors, the table of elements. */
const elements = z.strictObject({
  channel: name,
  value: z.number(),
  unit: z
    .literal([
      'BytesBandwidth',
      'BytesDisk',
      'BytesMemory',
      'BytesFile',
      'Temperature',
      'Percent',
      'TimeResponse',
      'TimeSeconds',
      'TimeHours',
      'Custom',
      'Count',
      'CPU',
      'SpeedDisk',
      'SpeedNet',
    ])
    .default('Custom'),
  customunit: name.optional(),
  float: flag.default(0),
  warning: flag.default(0),
  limitmode: flag.default(1),
  limitmaxerror: integer.optional(),
  limitmaxwarning: integer.optional(),
  limitminwarning: integer.optional(),
  limitminerror: integer.optional(),
  limiterrormsg: name.optional(),
  limitwarningmsg: name.optional(),
  valuelookup: name.optional(),
});

type Channel = z.infer<typeof elements>;

const channel = elements
  .refine(({ value, float }) => float === 1 || Number.isInteger(value), 'shown as 0, because it is no integer')
  .refine(({ unit, customunit }) => customunit === undefined || unit === 'Custom', 'a custom unit of another unit')
  .refine(({ unit, valuelookup }) => valuelookup === undefined || unit === 'Custom', 'a lookup needs the unit Custom')
  .refine(
    (one) => one.valuelookup === undefined || limitsOf(one).every(({ limit }) => limit === undefined),
    'limits beside a lookup',
  );

const text = line.max(2_000);
const answer = z.strictObject({
  prtg: z.union([
    z.strictObject({
      // More are not supported.
      result: z
        .array(channel)
        .min(1)
        .max(50)
        .refine((all) => new Set(all.map((one) => one.channel)).size === all.length, 'names must be unique'),
      text,
    }),
    // "It is not possible to mix result and error entries."
    z.strictObject({ error: z.literal(1), text }),
  ]),
});

function limitsOf(one: Pick<Channel, 'limitmaxerror' | 'limitmaxwarning' | 'limitminerror' | 'limitminwarning'>) {
  const { limitmaxerror, limitmaxwarning, limitminerror, limitminwarning } = one;
  return [
    { state: 'Down', sign: 1, limit: limitmaxerror },
    { state: 'Down', sign: -1, limit: limitminerror },
    { state: 'Warning', sign: 1, limit: limitmaxwarning },
    { state: 'Warning', sign: -1, limit: limitminwarning },
  ] as const;
}

/** Without the lookup that a channel names, its value has no effect. */
export function createPrtgSensor(lookups: Lookups): PrtgSensor {
  /** Limits count only in the scan that creates the channel. */
  const created = new Map<string, Channel>();

  function stateOf(one: Channel): SensorView['state'] {
    const first = created.get(one.channel) ?? one;
    created.set(one.channel, first);
    const looked = lookups.get(one.valuelookup ?? '')?.get(one.value);
    const exceeded =
      first.limitmode === 0
        ? []
        : limitsOf(first).filter(({ sign, limit }) => limit !== undefined && (one.value - limit) * sign > 0);
    const states = [...exceeded.map(({ state }) => state), ...(looked === undefined ? [] : [SENSOR_STATES[looked]])];
    if (states.includes('Down')) return 'Down';
    return states.includes('Warning') || one.warning === 1 ? 'Warning' : 'Up';
  }

  function scan(output: string): SensorView {
    const { prtg } = answer.parse(JSON.parse(output));
    if ('error' in prtg) return { state: 'Down', message: prtg.text, channels: new Map() };
    const states = prtg.result.map(stateOf);
    const state = states.includes('Down') ? 'Down' : states.includes('Warning') ? 'Warning' : 'Up';
    return { state, message: prtg.text, channels: new Map(prtg.result.map((one) => [one.channel, one.value])) };
  }

  return {
    scan,
    // https://helpdesk.paessler.com/en/support/solutions/articles/76000063053
    scanHttp: (status, body) =>
      status >= 200 && status < 300 ? scan(body) : { state: 'Down', message: '', channels: new Map() },
  };
}

const lookupState = z.literal(['Ok', 'Warning', 'Error', 'None']);

const SENSOR_STATES: Readonly<Record<LookupState, SensorView['state']>> = {
  Ok: 'Up',
  None: 'Up',
  Warning: 'Warning',
  Error: 'Down',
};

const OVL =
  /^<\?xml version="1\.0" encoding="UTF-8"\?>\n(?:<!--(?:(?!--)[^])*-->\n)?<ValueLookup (?<attributes>[^<>]*)>\n *<Lookups>\n(?<values>[^]*) *<\/Lookups>\n<\/ValueLookup>\n$/u;
const SINGLE = /^ *<SingleInt state="(?<state>\w+)" value="(?<value>\d+)">(?<text>[^<>&]+)<\/SingleInt>$/u;

/** Reads a lookup file (https://www.paessler.com/manuals/prtg/define_lookups). @throws {Error} if it is not valid */
export function readLookup(file: string): Lookups {
  const { attributes = '', values = '' } = OVL.exec(readFileSync(file, 'utf8'))?.groups ?? {};
  const given = new Map(
    [...attributes.matchAll(/([\w:]+)="([^"]*)"/gu)].map(([, key = '', value = '']) => [key, value]),
  );
  lookupState.parse(given.get('undefinedState'));
  const states = values
    .trimEnd()
    .split('\n')
    .map((row) => {
      const { state, value } = SINGLE.exec(row)?.groups ?? {};
      return [Number(value), lookupState.parse(state)] as const;
    });
  const id = given.get('id') ?? '';
  if (!states.some(([value]) => String(value) === given.get('desiredValue')) || !file.endsWith(`/${id}.ovl`))
    throw new Error(`No lookup file: ${file}`);
  return new Map([[id, new Map(states)]]);
}
