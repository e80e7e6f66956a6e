import type { SecretSource } from '../../system/secret.ts';
import { secretFile, secretVariable } from './files.ts';
import { type SectionFields, fieldsOf, given, hasSecret, type Rule } from './rules.ts';
import type { SecretField } from './secret-field.ts';

/** A secret that its section cannot do without. `what` it is called, and how the key of its file is described. */
export function secret(what: string, ofFile: string): SecretField<SecretSource> {
  return {
    ...optionalSecret(what, ofFile),
    rule: (name) => (fields, report) => {
      oneAtMost(name)(fields, report);
      if (!hasSecret(name, fields)) report(null, `expected "${name}File" or "${name}Env", but neither is there`);
    },
    decode: (name, fields) => {
      const source = sourceIn(name, fields);
      if (source === null) throw new TypeError(`Cannot name the source of "${name}": its rule did not run`);
      return source;
    },
  };
}

export function optionalSecret(what: string, ofFile: string): SecretField<SecretSource | null> {
  return {
    keys: (name) => [
      [`${name}File`, secretFile.optional().describe(ofFile)],
      [`${name}Env`, secretVariable.optional().describe(`Environment variable with the ${what}, instead of the file.`)],
    ],
    rule: oneAtMost,
    decode: sourceIn,
    encode: (name, source) => {
      const { kind, path, name: variableName } = fieldsOf(source);
      if (kind === 'file') return [[`${name}File`, path]];
      return kind === 'env' ? [[`${name}Env`, variableName]] : [];
    },
  };
}

function oneAtMost(name: string): Rule {
  return (fields, report) => {
    if (given(fields, `${name}File`) && given(fields, `${name}Env`))
      report(`${name}Env`, `expected only one of "${name}File" and "${name}Env"`);
  };
}

function sourceIn(name: string, fields: SectionFields): SecretSource | null {
  const path = fields[`${name}File`];
  const variable = fields[`${name}Env`];
  if (typeof path === 'string') return { kind: 'file', path };
  return typeof variable === 'string' ? { kind: 'env', name: variable } : null;
}
