import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { CAUSE_IDS, wordsOf } from '../../../src/checks/registry.ts';
import type { CauseWords } from '../../../src/engine/model.ts';
import { loadFirmwareFacts } from '../../../src/connectors/firmware-facts.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

/** A tip's number, a knowledge base article, a document, a message to Microsoft's customers, a URL or a MIB. */
const SOURCE =
  /\bta-p\/\d{6}\b|\bKB \d{5,6}\b|\bdocs:\S+\/\S+|\bMicrosoft MC\d{6,7}\b|\bhttps:\/\/\S+|\b[A-Z]+(?:-[A-Z]+)*-MIB\b/u;
/** Facts that only the vendor can know: its products, servers, menus and commands, and its handling of licences. */
const OF_THE_VENDOR = /Forti(?!Authenticator\b)|On FortiAuthenticator|System >|TAC\b|RMA|"(?:execute|show|diagnose) /u;

const PRODUCTS = z.object({ products: z.array(z.object({ name: z.string(), source: z.string().min(1) })) });

function hasSource(source: string | undefined): boolean {
  return source !== undefined && SOURCE.test(source);
}

/** Returns causes with facts about the vendor but without a source. */
function unsourced(causes: readonly (readonly [string, CauseWords])[]): readonly string[] {
  return causes
    .filter(([, { sources = [], ...words }]) => OF_THE_VENDOR.test(JSON.stringify(words)) && !sources.some(hasSource))
    .map(([id]) => id);
}

/** Returns files that contain one of the vendor's object identifiers but do not mention a MIB. */
function objectsWithoutMib(files: readonly { readonly name: string; readonly text: string }[]): readonly string[] {
  return files
    .filter(({ text }) => text.includes('1.3.6.1.4.1.12356') && !/-MIB\b/u.test(text))
    .map(({ name }) => name);
}

describe('what is said of the vendor has its source beside it', () => {
  test('every signature', async () => {
    const { signatures } = await shippedCatalogue();
    expect(signatures.filter(({ source }) => !hasSource(source)).map(({ id }) => id)).toEqual([]);
  });

  test('every fact about firmware', async () => {
    const facts = await loadFirmwareFacts([]);
    expect(facts.length).toBeGreaterThan(4);
    expect(facts.filter(({ source }) => !hasSource(source)).map(({ id }) => id)).toEqual([]);
  });

  test('every product that inspects: those of Fortinet by document, others where the names were seen', () => {
    const { products } = PRODUCTS.parse(parse(readFileSync('config/inspection-products.yaml', 'utf8')));
    const own = products.filter(({ name }) => name.startsWith('Fortinet'));
    expect(own.length).toBeGreaterThan(1);
    expect(own.filter(({ source }) => !hasSource(source))).toEqual([]);
  });

  test('every authority', () => {
    const text = readFileSync('config/fortinet-authorities.pem', 'utf8');
    const blocks = text.split('-----END CERTIFICATE-----').slice(0, -1);
    expect(blocks).toHaveLength(3);
    expect(blocks.filter((block) => !/^# {3}Source: \S/mu.test(block))).toEqual([]);
  });

  test('every cause', () => {
    expect(unsourced(CAUSE_IDS.map((id) => [id, wordsOf(id)]))).toEqual([]);
  });

  test('and each of the sources of a cause is one', () => {
    const sources = CAUSE_IDS.flatMap((id) => wordsOf(id).sources ?? []);
    expect(sources.filter((source) => !hasSource(source))).toEqual([]);
  });

  test('every object identifier', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ name, text: readFileSync(`src/${name}`, 'utf8') }));
    expect(files.some(({ text }) => text.includes('1.3.6.1.4.1.12356'))).toBe(true);
    expect(objectsWithoutMib(files)).toEqual([]);
  });
});

describe('an entry without a source is found', () => {
  test.each(['', 'here', 'a forum', 'inferred', 'ta-p/'])('a signature from "%s"', (source) => {
    expect(hasSource(source)).toBe(false);
  });

  test.each(['ta-p/194050, generalised', 'KB 99299', 'docs:fortigate/6.4.5/x/32161', 'FORTINET-CORE-MIB'])(
    'but not one from "%s"',
    (source) => {
      expect(hasSource(source)).toBe(true);
    },
  );

  test('a cause', () => {
    const words = wordsOf('license-on-other-unit');
    expect(unsourced([['it', { ...words, sources: [] }]])).toEqual(['it']);
    expect(unsourced([['it', { ...words, sources: ['somewhere'] }]])).toEqual(['it']);
    expect(unsourced([['it', words]])).toEqual([]);
  });

  test('an object identifier', () => {
    const text = "const SERIAL = '1.3.6.1.4.1.12356.113.1.2.0';";
    expect(objectsWithoutMib([{ name: 'a.ts', text }])).toEqual(['a.ts']);
    expect(objectsWithoutMib([{ name: 'a.ts', text: `// FORTINET-FORTIAUTHENTICATOR-MIB\n${text}` }])).toEqual([]);
  });
});
