import type { SecretSource } from '../../system/secret.ts';
import { given, hasSecret } from './rules.ts';
import { secret } from './secret.ts';
import type { SecretField } from './secret-field.ts';
import { secretUrl } from './urls.ts';

/** A URL whose path is a secret: as it stands in the file, or where it is read from at each use. */
export type SecretUrl = string | SecretSource;

/** Under exactly one of the keys of `secretUrlKeys`. `what`: what is done with it, a sentence. */
export function secretUrlField(what: string, example: string): SecretField<SecretUrl> {
  const elsewhere = secret('URL', 'File with the URL, where the URL itself is a secret.');
  return {
    keys: (name) => [
      [
        name,
        secretUrl(example)
          .optional()
          .describe(`${what} "config print" and "report" show its scheme and host only; a secret belongs into a file.`),
      ],
      ...elsewhere.keys(name),
    ],
    rule: (name) => (fields, report) => {
      const keys = secretUrlKeys(name).map((key) => `"${key}"`);
      if (hasSecret(name, fields)) {
        elsewhere.rule(name)(fields, report);
        if (given(fields, name)) report(name, `expected only one of ${keys.join(', ')}`);
      } else if (!given(fields, name)) report(null, `expected one of ${keys.join(', ')}, but none is there`);
    },
    decode: (name, fields) => {
      const url = fields[name];
      return typeof url === 'string' ? url : elsewhere.decode(name, fields);
    },
    encode: (name, url) => (typeof url === 'string' ? [[name, url]] : elsewhere.encode(name, url)),
  };
}

export function secretUrlKeys(name: string): readonly string[] {
  return [name, `${name}File`, `${name}Env`];
}
