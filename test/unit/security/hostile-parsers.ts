import { isFaultId } from '../../../src/checks/registry.ts';
import { parseCertificate } from '../../../src/core/parse-certificate.ts';
import { parseSignatures } from '../../../src/logs/signatures.ts';
import { readReply as readTime } from '../../../src/network/ntp/sntp.ts';
import { encodeQuery, readReply as readDnsReply } from '../../../src/network/dns/message.ts';
import { readPem } from '../../../src/trust/load-trust.ts';
import { parseCatalogue } from '../../../src/system/catalogue-file.ts';
import { loadLinearCompiler, parseProducts } from '../../../src/trust/products.ts';
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
  readDialogue,
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

const compileLinear = await loadLinearCompiler();

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
const JSON_REPEATS: readonly string[] = ['[', '{"a":', '[],', '"', '\\u0000'];
const YAML_REPEATS: readonly string[] = ['- ', '[', '{', '&a ', '? ', ': ', '"', '!', '\n  a:', '#\n'];
const MEGABYTE = KB * KB;

export const HOSTILE_PARSERS: readonly HostileParser[] = [
  {
    name: 'DNS answers',
    corpus: 'dns',
    shape: 'bytes',
    longest: 65_535,
    parse: (bytes) => readDnsReply(bytes, QUERY),
    most: 64 * KB,
    repeats: ['\0', '\xc0\x0c', '\x3f', '\x01a'],
  },
  {
    name: 'packet captures',
    corpus: 'capture',
    shape: 'bytes',
    longest: 256 * KB,
    parse: readPackets,
    most: 512 * KB,
    repeats: [
      '\0',
      '\xff',
      '0x0000 4500\n',
      '1.0 port1 in a -> b\n',
      '\x06\0\0\0\x20\0\0\0',
      '\x16\x03\x01\0\x04',
      '\x1b[',
    ],
  },
  {
    name: 'NTP answers',
    corpus: 'ntp',
    shape: 'bytes',
    longest: 2 * KB,
    parse: (bytes) => readTime(bytes, NONCE),
    most: 200,
    repeats: ['\x24', '\0'],
  },
  {
    name: 'certificates',
    corpus: 'der',
    shape: 'bytes',
    longest: 128 * KB,
    parse: readCertificate,
    most: 700 * KB,
    repeats: ['0\x80', '\x30\x03\x30\x01', '\x05\0', 'DNS:a,', '"', '\\', ' + a=b', '\na=b'],
  },
  {
    name: 'answers that are no TLS',
    corpus: 'plain-answer',
    shape: 'bytes',
    longest: 64 * KB,
    parse: readPlain,
    most: 2 * KB,
    repeats: ['<style', '<!--', '<a', '-', '<', 'location: ', 'Sophos', 'SonicWall ', '\t', '</style'],
  },
  {
    name: 'response headers',
    corpus: 'response-headers',
    shape: 'json',
    longest: 16 * KB,
    parse: readHeaders,
    most: 4 * KB,
    repeats: ['"', ' ', 'via'],
  },
  {
    name: 'SMTP replies',
    corpus: 'smtp',
    shape: 'bytes',
    longest: 64 * KB,
    parse: readSmtp,
    most: 4 * KB,
    repeats: ['250-x\r\n', '5.1.1 ', '-'],
  },
  {
    name: 'SMTP dialogue',
    corpus: 'smtp',
    shape: 'bytes',
    longest: 64 * KB,
    parse: readDialogue,
    most: 4 * KB,
    repeats: ['250-x\r\n', '250 \n', '\r\n', ' ', '1-', '\xff'],
  },
  {
    name: 'log lines',
    corpus: 'syslog',
    shape: 'bytes',
    longest: 64 * KB,
    parse: readLog,
    most: 512 * KB,
    repeats: ['a="', ' status="', ' msg="', '[a="b"', '9 <', 'FTM polling ', '<1>', '" user="', 'a=b ', ' '],
  },
  {
    name: 'explain',
    corpus: 'syslog',
    shape: 'bytes',
    longest: 64 * KB,
    parse: explained,
    lines: true,
    most: MEGABYTE,
    repeats: ['FTM polling error ', 'a=" ', ' status="', 'x'],
  },
  {
    name: "FortiAuthenticator's JSON",
    corpus: 'json-fortiauthenticator',
    shape: 'json',
    longest: MEGABYTE,
    parse: json(readFortiAuthenticator),
    most: 64 * KB,
    repeats: JSON_REPEATS,
  },
  {
    name: "the registration service's JSON",
    corpus: 'json-registration',
    shape: 'json',
    longest: MEGABYTE,
    parse: json(readRegistration),
    most: 64 * KB,
    repeats: JSON_REPEATS,
  },
  {
    name: "FortiGate's JSON",
    corpus: 'json-fortigate',
    shape: 'json',
    longest: MEGABYTE,
    parse: json(readFortiGate),
    most: 64 * KB,
    repeats: JSON_REPEATS,
  },
  {
    name: 'kept state',
    corpus: 'json-state',
    shape: 'json',
    longest: MEGABYTE,
    parse: json(readState),
    most: 64 * KB,
    repeats: JSON_REPEATS,
  },
  {
    name: 'silences',
    corpus: 'json-silence',
    shape: 'json',
    longest: 4 * KB,
    parse: json((value) => readSilence(value, NOW)),
    most: 16 * KB,
    repeats: JSON_REPEATS,
  },
  {
    name: 'forms about an incident',
    corpus: 'form-incident',
    shape: 'bytes',
    longest: 8 * KB,
    parse: (bytes) => readIncidentForm(filledIn(bytes.toString('utf8'))),
    most: 4 * KB,
    repeats: ['a=b&', 'comment=', '%e2%80%ae', '&', '='],
  },
  {
    name: 'parameters of /incidents',
    corpus: 'query-incidents',
    shape: 'bytes',
    longest: 8 * KB,
    parse: (bytes) => {
      const parameters = new URLSearchParams(bytes.toString('utf8'));
      return readIncidentQuery(Object.fromEntries([...parameters.keys()].map((key) => [key, parameters.getAll(key)])));
    },
    most: 4 * KB,
    repeats: ['cause=', 'from=2026-01-01&', '%00', '0'],
  },
  {
    name: 'signature files',
    corpus: 'yaml-signatures',
    shape: 'bytes',
    longest: 16 * KB,
    parse: declared((text) =>
      parseSignatures(parseCatalogue(text, 'signatures', 'f.yaml'), 'f.yaml', isFaultId).map(({ id }) => id),
    ),
    most: 128 * KB,
    repeats: YAML_REPEATS,
  },
  {
    name: 'product files',
    corpus: 'yaml-products',
    shape: 'bytes',
    longest: 16 * KB,
    parse: declared((text) => {
      const { products, skipped } = parseProducts(parseCatalogue(text, 'products', 'f.yaml'), 'f.yaml', compileLinear);
      return [...skipped, ...products.map(({ id }) => id)];
    }),
    most: 128 * KB,
    repeats: YAML_REPEATS,
  },
  {
    name: 'the configuration',
    corpus: 'yaml-configuration',
    shape: 'bytes',
    longest: 16 * KB,
    parse: readConfiguration,
    most: 128 * KB,
    repeats: YAML_REPEATS,
  },
  {
    name: 'PEM files',
    corpus: 'pem',
    shape: 'bytes',
    longest: MEGABYTE,
    parse: (bytes) => readPem(bytes.toString('utf8')).map((der) => parseCertificate(der)?.fingerprint ?? null),
    most: MEGABYTE,
    repeats: ['-----BEGIN CERTIFICATE-----', 'MAA=\n', '-'],
  },
  {
    name: 'password hashes',
    corpus: 'password-hash',
    shape: 'bytes',
    longest: 64 * KB,
    parse: declared((text) => costOf(text)),
    most: 300,
    repeats: ['$', '$2b$', 'A', ' '],
  },
];
