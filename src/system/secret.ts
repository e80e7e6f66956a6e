import { readFile } from 'node:fs/promises';

/** Configuration objects contain only the source, so that the secret is never printed with the configuration. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

export type SecretReader = (source: SecretSource) => Promise<string>;

/** For messages. */
export function placeOf(source: SecretSource): string {
  return source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
}

/** A larger file cannot be a key or token. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Removes trailing line breaks, which editors and `echo` add, also to variables. Secrets are read for each use, so that
 * rotation does not require a reload.
 * @throws {Error} with the name of the file or variable, without any part of the value
 */
export async function readSecret(source: SecretSource, env: NodeJS.ProcessEnv): Promise<string> {
  switch (source.kind) {
    case 'env': {
      const value = withoutLineBreaks(env[source.name] ?? '');
      if (value === '') throw new Error(`Cannot read the secret: environment variable "${source.name}" is not set`);
      return value;
    }
    case 'file': {
      const value = await readSecretFile(source.path);
      if (value === '') throw new Error(`Cannot read the secret: file "${source.path}" is empty`);
      return value;
    }
  }
}

async function readSecretFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new Error(
      `Cannot read the secret from file "${path}": ${error instanceof Error ? error.message : 'unknown error'}`,
      {
        cause: error,
      },
    );
  }
  if (bytes.length > MAX_SECRET_BYTES) {
    throw new Error(
      `Cannot read the secret from file "${path}": expected at most ${String(MAX_SECRET_BYTES)} bytes, got ` +
        `${String(bytes.length)}`,
    );
  }
  try {
    // A byte order mark, as some editors write it, is not part of the secret.
    return withoutLineBreaks(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Error(`Cannot read the secret from file "${path}": expected UTF-8`, { cause: error });
  }
}

function withoutLineBreaks(text: string): string {
  return text.replace(/[\r\n]+$/u, '');
}
