import fc from 'fast-check';
import { configJsonSchema, type JsonSchema } from '../../../src/config/config.ts';

type Section = Readonly<Record<string, unknown>>;

const SHORT_NAME = fc.stringMatching(/^[A-Za-z0-9ä中][A-Za-z0-9ä中 ._-]{0,20}$/u);
const LABEL = fc.stringMatching(/^[a-z]([a-z0-9_-]{0,8}[a-z0-9])?$/u);
const HOST_NAME = fc.array(LABEL, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const ADDRESS = fc.oneof(fc.ipV4(), fc.ipV6());
const HOST = fc.oneof(HOST_NAME, ADDRESS);
const PORT = fc.integer({ min: 1, max: 65_535 });
const ANY_BASE64 = fc.stringMatching(/^[A-Za-z0-9+/]{43}$/u);
const MAIL_ADDRESS = fc.tuple(LABEL, HOST_NAME).map(([user, host]) => `${user}@${host}`);
const FILE = fc.tuple(fc.constantFrom('', '/etc/', '../', './'), LABEL).map((parts) => parts.join(''));

function endpoint(host: fc.Arbitrary<string>, port = PORT): fc.Arbitrary<string> {
  return fc.tuple(host, port).map(([name, number]) => `${name.includes(':') ? `[${name}]` : name}:${String(number)}`);
}

const CIDR_BLOCK = fc.tuple(fc.ipV4(), fc.nat({ max: 32 })).map(([address, bits]) => `${address}/${String(bits)}`);

/** Strings of each type, by the name in the schema. */
const TEXTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  name: SHORT_NAME,
  text: fc.stringMatching(/^[ -~äßŁ中]{1,20}$/u),
  host: HOST,
  'host name': HOST_NAME,
  address: ADDRESS,
  'address or CIDR block': fc.oneof(ADDRESS, CIDR_BLOCK),
  'host name, address or CIDR block': fc.oneof(HOST_NAME, ADDRESS, CIDR_BLOCK),
  'host:port': fc.oneof(HOST, endpoint(HOST)),
  resolver: fc.oneof(
    fc.constant('system'),
    ADDRESS,
    endpoint(ADDRESS).map((text) => `tcp://${text}`),
    endpoint(HOST).map((text) => `tls://${text}/`),
    HOST_NAME.map((host) => `https://${host}/dns-query`),
  ),
  path: fc.stringMatching(/^\/[!-~]{0,30}$/u),
  country: fc.constantFrom('DE', 'US', 'NO'),
  pin: ANY_BASE64.map((text) => `sha256/${text}=`),
  'email address': MAIL_ADDRESS,
  'serial number': fc.stringMatching(/^[A-Za-z0-9_-]{4,40}$/u),
  duration: fc.oneof(
    fc.integer({ min: 1, max: 3600 }).map((seconds) => `${String(seconds)}s`),
    fc.integer({ min: 1, max: 60 }).map((minutes) => `${String(minutes)}m`),
    fc.constant('1h'),
  ),
  date: fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  'time zone': fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Chatham'),
  file: FILE,
  'file with a secret': FILE,
  'environment variable': fc.constant('SET_SECRET'),
  'JSON template': fc.constantFrom('{"text": "{{title}}\\n{{ text }}"}', '["{{id}}", 1, null, true]'),
};

/** Values other than strings, by type. */
const PLAIN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  number: fc.double({ min: 0, max: 1, noNaN: true }),
  boolean: fc.boolean(),
  null: fc.constant(null),
};

/** Constraints that the type does not express, by path. */
const TEXTS_AT: readonly (readonly [path: RegExp, texts: fc.Arbitrary<string>])[] = [
  [/proxy(\.url)?$/u, endpoint(HOST).map((text) => `http://${text}`)],
  [/^notify\.ntfy.*\.url$/u, HOST_NAME.map((host) => `https://${host}/topic_1`)],
  [/^notify\..*url/u, fc.tuple(HOST_NAME, fc.webPath()).map(([host, path]) => `https://${host}${path}`)],
  [/url$/iu, HOST_NAME.map((host) => `https://${host}`)],
  [/^schedule\.(?!timezone)/u, fc.constantFrom('*/30 * * * * *', '0 30 2 * * mon-fri')],
  [/^mail\.timeout$/u, fc.integer({ min: 1, max: 10 }).map((seconds) => `${String(seconds)}s`)],
  [/\.cron$/u, fc.constantFrom('0 2 * * 0', '*/5 8-18 1,15 jan mon-fri')],
  // Two listeners cannot have the same port.
  [/^web\.listen$/u, endpoint(ADDRESS, fc.integer({ min: 0, max: 9999 }))],
  [/^logs\.syslog\.tcp$/u, endpoint(ADDRESS, fc.integer({ min: 10_000, max: 19_999 }))],
  [/^logs\.syslog\./u, endpoint(ADDRESS, fc.integer({ min: 20_000, max: 29_999 }))],
];

/** Generates configurations as in a file, with any of the keys. */
export function anyConfiguration(): fc.Arbitrary<unknown> {
  return anyValue(configJsonSchema(), '').map(withKnownUnits);
}

function anyValue(schema: JsonSchema, path: string): fc.Arbitrary<unknown> {
  const { anyOf, enum: choices, type, items, title, minimum, maximum } = schema;
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => anyValue(sectionOf(one), path)));
  if (Array.isArray(choices)) return fc.constantFrom(...choices.map((choice: unknown) => choice));
  switch (type) {
    case 'object':
      return anySection(schema, path);
    case 'array': {
      const size = { minLength: Number(schema['minItems'] ?? 0), maxLength: 3 };
      const list = fc.uniqueArray(anyValue(sectionOf(items), path), { ...size, selector: labelOf });
      return path === 'appliances' ? list.map((units) => units.map(withOwnTexts)) : list;
    }
    case 'integer':
      return fc.integer({ min: Number(minimum), max: Number(maximum) });
    default:
      return PLAIN[String(type)] ?? anyText(String(title), path);
  }
}

function anyText(title: string, path: string): fc.Arbitrary<string> {
  const texts = TEXTS_AT.find(([at]) => at.test(path))?.[1] ?? TEXTS[title];
  if (texts === undefined) throw new Error(`Cannot make a value for "${path}": expected a known type, got "${title}"`);
  return texts;
}

function anySection({ properties, required }: JsonSchema, path: string): fc.Arbitrary<Section> {
  const shape = sectionOf(properties);
  const secrets = Object.keys(shape).flatMap((key) => {
    const name = key.replace(/File$/u, '');
    return name !== key && `${name}Env` in shape ? [name] : [];
  });
  const plain = Object.entries(shape).filter(([key]) => !secrets.some((name) => isSecretKey(key, name)));
  const requiredKeys = Array.isArray(required) ? required.map(String) : [];
  return fc
    .tuple(
      fc.record(
        Object.fromEntries(
          plain.map(([key, child]) => [key, anyValue(sectionOf(child), path === '' ? key : `${path}.${key}`)]),
        ),
        { requiredKeys },
      ),
      ...secrets.map((name) =>
        fc.oneof(
          FILE.map((file) => ({ [`${name}File`]: file })),
          fc.constant({ [`${name}Env`]: 'SET_SECRET' }),
        ),
      ),
    )
    .map(([section, ...sources]) => {
      const surplus = surplusSecrets(shape, section);
      const written = Object.entries(Object.assign({}, ...sources));
      const kept = written.filter(([key]) => !surplus.some((name) => isSecretKey(key, name)));
      return byTheRules({ ...section, ...Object.fromEntries(kept) });
    });
}

/**
 * Returns the names of secrets that do not apply: there is no login, a different kind of login, or the value is in
 * clear.
 */
function surplusSecrets(shape: Section, section: Section): readonly string[] {
  const ofLogin = 'user' in section ? ['token', 'community'] : ['password', 'authPassword', 'privPassword'];
  return [...('user' in shape ? ofLogin : []), ...('url' in section ? ['url'] : [])];
}

function isSecretKey(key: string, name: string): boolean {
  return key === `${name}File` || key === `${name}Env`;
}

/** Removes keys that cannot be combined, or that need another key. */
function byTheRules(section: Section): Section {
  const { from, to, pin, applianceCaFile, certificates, clientCrlFile: _, proxy, ...others } = section;
  const hasAuthorities = 'clientCaFile' in sectionOf(section['tls']);
  const ofProxy = proxyByTheRules(sectionOf(proxy), hasAuthorities);
  return {
    ...others,
    ...(certificates !== undefined && hasAuthorities && { certificates }),
    ...(proxy !== undefined && ofProxy),
    ...(from !== undefined && to !== undefined && { from, to }),
    ...(pin !== undefined && !('caFile' in section) && { pin }),
    ...(applianceCaFile !== undefined && !('caFile' in section) && { applianceCaFile }),
  };
}

function proxyByTheRules({ certificate, ...bySecret }: Section, hasAuthorities: boolean): Section {
  const proxy = { ...bySecret, ...(hasAuthorities && certificate !== undefined && { certificate }) };
  return ['certificate', 'secretFile', 'secretEnv'].some((key) => key in proxy) ? { proxy } : {};
}

/** Makes the serial numbers and log sources of units unique. */
function withOwnTexts(unit: unknown, index: number): Section {
  const { serial, peerSerial, logSources, ...others } = sectionOf(unit);
  return {
    ...others,
    ...(serial !== undefined && { serial: `UNIT${String(index)}A` }),
    ...(peerSerial !== undefined && { peerSerial: `UNIT${String(index)}B` }),
    ...(Array.isArray(logSources) && { logSources: logSources.map((_, at) => `10.0.${String(index)}.${String(at)}`) }),
  };
}

/** Makes firewall entries refer only to configured units, and asks other networks only about the public name. */
function withKnownUnits(file: unknown): Section {
  const { appliances, firewall, outside, ...others } = sectionOf(file);
  const host = sectionOf(others['licenseServer'])['host'];
  const units = Array.isArray(appliances) ? appliances.map((unit) => sectionOf(unit)['name']) : [];
  const known = (entry: unknown): Section => {
    const fields = sectionOf(entry);
    return 'appliances' in fields ? { ...fields, appliances: units } : fields;
  };
  return {
    ...others,
    ...(appliances !== undefined && { appliances }),
    ...(outside !== undefined && host === undefined && { outside }),
    ...(firewall !== undefined && { firewall: Array.isArray(firewall) ? firewall.map(known) : known(firewall) }),
  };
}

/** Returns the value that must be unique in a list. */
function labelOf(item: unknown): unknown {
  const { name, host, url, license } = sectionOf(item);
  return name ?? host ?? url ?? license ?? item;
}

function sectionOf(value: unknown): Section {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
