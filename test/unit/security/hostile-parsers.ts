import { isFaultId } from '../../../src/checks/registry.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { parseSignatures } from '../../../src/logs/signatures.ts';
import { readReply as readTime } from '../../../src/network/ntp/sntp.ts';
import { encodeQuery, readReply as readDnsReply } from '../../../src/network/dns/message.ts';
import { readPem } from '../../../src/tls/pem.ts';
import { parseCatalogue } from '../../../src/system/catalogue-file.ts';
import { compileWildcard, parseProducts } from '../../../src/trust/products.ts';
import { readIncidentForm } from '../../../src/web/incident-routes.ts';
import { readIncidentQuery } from '../../../src/web/incident-json.ts';
import { filledIn, readSilence } from '../../../src/web/changes.ts';
import {
  costOf,
  declared,
  explained,
  json,
  readCertificate,
  readConfiguration,
  readReply,
  readFortiAuthenticator,
  readFortiGate,
  readHeaders,
  readLog,
  readPackets,
  readPlain,
  readRegistration,
  readSmtp,
  readState,
} from './hostile-readers.ts';

/** A parser of input from other systems. */
export interface HostileParser {
  readonly name: string;
  /** Its folder in the corpus. */
  readonly corpus: string;
  readonly shape: 'bytes' | 'json';
  /** Maximum number of bytes that its caller passes to it. */
  readonly longest: number;
  /**
   * Returns everything that is shown, kept or counted. Declared errors are included by their message; others are
   * rethrown.
   */
  readonly parse: (bytes: Buffer) => unknown;
  /** The result may have several lines. */
  readonly lines?: boolean;
  /** Maximum number of characters of the result, for any input. */
  readonly most: number;
  /** Strings that are repeated up to `longest`, which would take long if the parser was quadratic. */
  readonly repeats: readonly string[];
}

const NOW = Date.UTC(2026, 10, 24, 13);
const KB = 1024;
const QUERY = encodeQuery({ id: 4711, name: 'license.example.test', type: 'A' }, true);
const NONCE = Buffer.from('0102030405060708', 'hex');
const YAML_REPEATS: readonly string[] = ['- ', '[', '{', '&a ', '? ', ': ', '"', '!', '\n  a:', '#\n'];
const MEGABYTE = KB * KB;

type Sizes = readonly [longest: number, most: number];

function ofBytes(
  name: string,
  corpus: string,
  [longest, most]: Sizes,
  parse: HostileParser['parse'],
  repeats: readonly string[],
): HostileParser {
  return { name, corpus, shape: 'bytes', longest, parse, most, repeats };
}

function ofJson(
  name: string,
  corpus: string,
  sizes: Sizes,
  parse: HostileParser['parse'],
  repeats: readonly string[] = ['[', '{"a":', '[],', '"', '\\u0000'],
): HostileParser {
  return { ...ofBytes(name, corpus, sizes, parse, repeats), shape: 'json' };
}

/** Each with the longest input, and the most characters of the result. */
export const HOSTILE_PARSERS: readonly HostileParser[] = [
  ofBytes('DNS answers', 'dns', [65_535, 64 * KB], (bytes) => readDnsReply(bytes, QUERY), [
    '\0',
    '\xc0\x0c',
    '\x3f',
    '\x01a',
  ]),
  ofBytes('packet captures', 'capture', [256 * KB, 512 * KB], readPackets, [
    '\0',
    '\xff',
    '0x0000 4500\n',
    '1.0 port1 in a -> b\n',
    '\x06\0\0\0\x20\0\0\0',
    '\x16\x03\x01\0\x04',
    '\x1b[',
  ]),
  ofBytes('NTP answers', 'ntp', [2 * KB, 200], (bytes) => readTime(bytes, NONCE), ['\x24', '\0']),
  ofBytes('certificates', 'der', [128 * KB, 700 * KB], readCertificate, [
    '0\x80',
    '\x30\x03\x30\x01',
    '\x05\0',
    'DNS:a,',
    '"',
    '\\',
    ' + a=b',
    '\na=b',
  ]),
  ofBytes('answers that are no TLS', 'plain-answer', [64 * KB, 2 * KB], readPlain, [
    '<style',
    '<!--',
    '<a',
    '-',
    '<',
    'location: ',
    'Sophos',
    'SonicWall ',
    '\t',
    '</style',
  ]),
  ofJson('response headers', 'response-headers', [16 * KB, 4 * KB], readHeaders, ['"', ' ', 'via']),
  ofBytes('SMTP replies', 'smtp', [64 * KB, 4 * KB], readSmtp, ['250-x\r\n', '5.1.1 ', '-']),
  ofBytes('SMTP reply', 'smtp', [64 * KB, 4 * KB], readReply, ['250-x\r\n', '250 \n', '\r\n', ' ', '1-', '\xff']),
  ofBytes('log lines', 'syslog', [64 * KB, 512 * KB], readLog, [
    'a="',
    ' status="',
    ' msg="',
    '[a="b"',
    '9 <',
    'FTM polling ',
    '<1>',
    '" user="',
    'a=b ',
    ' ',
  ]),
  {
    ...ofBytes('explain', 'syslog', [64 * KB, MEGABYTE], explained, ['FTM polling error ', 'a=" ', ' status="', 'x']),
    lines: true,
  },
  ofJson("FortiAuthenticator's JSON", 'json-fortiauthenticator', [MEGABYTE, 64 * KB], json(readFortiAuthenticator)),
  ofJson("the registration service's JSON", 'json-registration', [MEGABYTE, 64 * KB], json(readRegistration)),
  ofJson("FortiGate's JSON", 'json-fortigate', [MEGABYTE, 64 * KB], json(readFortiGate)),
  ofJson('kept state', 'json-state', [MEGABYTE, 64 * KB], json(readState)),
  ofJson(
    'silences',
    'json-silence',
    [4 * KB, 16 * KB],
    json((value) => readSilence(value, NOW)),
  ),
  ofBytes(
    'forms about an incident',
    'form-incident',
    [8 * KB, 4 * KB],
    (bytes) => readIncidentForm(filledIn(bytes.toString('utf8'))),
    ['a=b&', 'comment=', '%e2%80%ae', '&', '='],
  ),
  ofBytes(
    'parameters of /incidents',
    'query-incidents',
    [8 * KB, 4 * KB],
    (bytes) => {
      const parameters = new URLSearchParams(bytes.toString('utf8'));
      return readIncidentQuery(Object.fromEntries([...parameters.keys()].map((key) => [key, parameters.getAll(key)])));
    },
    ['cause=', 'from=2026-01-01&', '%00', '0'],
  ),
  ofBytes(
    'signature files',
    'yaml-signatures',
    [16 * KB, 128 * KB],
    declared((text) =>
      parseSignatures(parseCatalogue(text, 'signatures', 'f.yaml'), 'f.yaml', isFaultId).map(({ id }) => id),
    ),
    YAML_REPEATS,
  ),
  ofBytes(
    'product files',
    'yaml-products',
    [16 * KB, 128 * KB],
    declared((text) =>
      parseProducts(parseCatalogue(text, 'products', 'f.yaml'), 'f.yaml', compileWildcard).map(({ id }) => id),
    ),
    YAML_REPEATS,
  ),
  ofBytes('the configuration', 'yaml-configuration', [16 * KB, 128 * KB], readConfiguration, YAML_REPEATS),
  ofBytes(
    'PEM files',
    'pem',
    [MEGABYTE, MEGABYTE],
    (bytes) => readPem(bytes.toString('utf8')).map((der) => parseCertificate(der)?.fingerprint ?? null),
    ['-----BEGIN CERTIFICATE-----', 'MAA=\n', '-'],
  ),
  ofBytes(
    'password hashes',
    'password-hash',
    [64 * KB, 300],
    declared((text) => costOf(text)),
    ['$', '$2b$', 'A', ' '],
  ),
];
