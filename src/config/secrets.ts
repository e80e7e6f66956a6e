import type { SecretSource } from '../system/secret.ts';
import { type Config, configFile } from './config.ts';
import { plainConfig } from './print.ts';
import { usedTexts } from './schema/uses.ts';

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
