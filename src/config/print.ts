import { fieldsOf } from '../core/fields.ts';
import { stringify } from 'yaml';
import * as z from 'zod';
import { type Config, configFile } from './config.ts';
import { usedTexts } from './schema/section.ts';
import type { SecretSource } from '../system/secret.ts';

export type Plain = string | number | boolean | null | readonly Plain[] | PlainSection;

interface PlainSection {
  readonly [key: string]: Plain;
}

/**
 * Loading the output yields the same configuration. For a secret, only its file or variable is printed, and for a
 * secret URL, only its scheme and host.
 */
export function printConfig(config: Config): string {
  return printPlain(plainConfig(config));
}

export function printPlain(plain: Plain): string {
  return stringify(plain, { lineWidth: 0 });
}

export function plainConfig(config: Config): PlainSection {
  const { file: _, site, ...sections } = config;
  // The site is added separately, because its default is the host name, which can be invalid for this field.
  const { site: __, ...encoded } = fieldsOf(z.encode(configFile, { ...sections, site: null }));
  // Writing and reading JSON removes the keys without a value.
  return z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify({ site, ...encoded })));
}

/**
 * Private keys are not included, because they are never read as text.
 * @param isMeant selects top-level sections
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

export function authorityFiles(config: Config): readonly string[] {
  return usedTexts(configFile, plainConfig(config)).flatMap(({ use, text }) =>
    use === 'authority-file' ? [text] : [],
  );
}

export function secretUrls(config: Config): readonly string[] {
  return usedTexts(configFile, config).flatMap(({ use, text }) => (use === 'secret-url' ? [text] : []));
}
