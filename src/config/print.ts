import { stringify } from 'yaml';
import * as z from 'zod';
import { type Config, configFile } from './config.ts';
import { type SectionFields, fieldsOf, usedTexts } from './schema/section.ts';
import type { SecretSource } from '../system/secret.ts';

/** What a printed configuration consists of. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainSection;

/** A mapping of it. */
interface PlainSection {
  readonly [key: string]: Plain;
}

/**
 * The configuration with every default, as the YAML that loads to the same configuration. File names are absolute. A
 * secret appears as the file or the variable that it comes from: its value is not part of a configuration. Of the URLs
 * of web hooks and of the heartbeat, which are secrets by themselves, only scheme and host are printed.
 */
export function printConfig(config: Config): string {
  return printPlain(plainConfig(config));
}

/** Data as YAML, one line a value. */
export function printPlain(plain: Plain): string {
  return stringify(plain, { lineWidth: 0 });
}

/** The same configuration as data. */
export function plainConfig(config: Config): PlainSection {
  const { file: _, site, ...sections } = config;
  // The name of the machine need not be a name that the file may have.
  return { site, ...plainSection(fieldsOf(z.encode(configFile, { ...sections, site: null }))) };
}

function plainSection(section: SectionFields): PlainSection {
  return Object.fromEntries(
    Object.entries(section).flatMap(([key, value]) => (value === undefined ? [] : [[key, plain(value)]])),
  );
}

function plain(value: unknown): Plain {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return plainSection(fieldsOf(value));
}

/**
 * Where every secret of a configuration comes from, except for private keys, which are never read as text.
 * @param isMeant which sections of the first level to look through
 */
export function secretSources(
  config: Config,
  isMeant: (section: string) => boolean = () => true,
): readonly SecretSource[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text, path }): readonly SecretSource[] => {
    if (!isMeant(String(path?.[0]))) return [];
    if (use === 'secret-file') return [{ kind: 'file', path: text }];
    return use === 'secret-variable' ? [{ kind: 'env', name: text }] : [];
  });
}

/** Every file with the certificates of an authority that something asked or told is verified by. */
export function authorityFiles(config: Config): readonly string[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text }) =>
    use === 'authority-file' ? [text] : [],
  );
}

/** URLs that are secrets from their path on. */
export function secretUrls(config: Config): readonly string[] {
  return usedTexts(configFile, config).flatMap(({ use, text }) => (use === 'secret-url' ? [text] : []));
}
