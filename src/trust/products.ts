import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { issueTexts, messageOf } from '../text/message-of.ts';
import { assertUnique, type CatalogueFile, catalogueError, loadCatalogue } from '../system/catalogue-file.ts';
import { visibleText } from '../core/visible-text.ts';
import type { IssuerPattern, ProductPattern } from '../tls/trust.ts';
import type { TextPattern } from '../core/block-page.ts';

const SHIPPED_PRODUCTS: string = fileURLToPath(new URL('../../config/inspection-products.yaml', import.meta.url));

const MAX_SKIPPED_TEXT = 1_000;

const line = z.string().trim().min(1).max(200);

type SourcePattern = CompiledPattern & { readonly source: string };

function catalogueOf(compile: PatternCompiler) {
  const pattern = (scope: PatternScope): z.ZodType<SourcePattern, string> =>
    z.string().transform((source, context) => {
      try {
        return { source, ...compile(source, scope) };
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    });

  const issuer = z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9.]{0,63}$/u, 'expected an attribute type such as CN, O or OU'),
      pattern('value'),
    )
    .transform((attributes) => Object.entries(attributes))
    .refine((attributes) => attributes.length > 0, 'expected at least one attribute such as CN');

  const product = z
    .strictObject({
      id: z
        .string()
        .max(64)
        .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u, 'expected kebab-case, such as "fortinet-fortigate"'),
      name: line,
      issuers: z.array(issuer).max(50).default([]),
      pages: z.array(pattern('anywhere')).max(50).default([]),
      mentions: z.array(pattern('anywhere')).max(50).default([]),
      source: line.optional(),
    })
    .refine(isRecognisable, 'expected at least one of issuers, pages and mentions');

  return z.strictObject({ products: z.array(product).max(1000) });
}

function isRecognisable({
  issuers,
  pages,
  mentions,
}: Record<'issuers' | 'pages' | 'mentions', readonly unknown[]>): boolean {
  return issuers.length + pages.length + mentions.length > 0;
}

interface LoadedProducts {
  readonly products: readonly ProductPattern[];
  /** Sentences that explain why a pattern in the administrator's files is not used. */
  readonly skipped: readonly string[];
}

/** Like `loadCatalogue`. @throws {Error} that lists all problems in a file */
export async function loadProducts(files: readonly string[]): Promise<LoadedProducts> {
  const compileOwn = files.length === 0 ? compileShipped : await loadLinearCompiler();
  const skipped: string[] = [];
  const parse = (content: CatalogueFile, file: string): readonly ProductPattern[] => {
    const parsed = parseProducts(content, file, file === SHIPPED_PRODUCTS ? compileShipped : compileOwn);
    skipped.push(...parsed.skipped);
    return parsed.products;
  };
  const products = await loadCatalogue({ what: 'products', files, shipped: SHIPPED_PRODUCTS, parse });
  return { products, skipped };
}

/** @throws {Error} as in `loadProducts` @internal */
export function parseProducts(
  { value }: CatalogueFile,
  file: string,
  compile: PatternCompiler = compileShipped,
): LoadedProducts {
  const attempt = `Cannot use the products in "${file}"`;
  const parsed = catalogueOf(compile).safeParse(value);
  if (!parsed.success) throw catalogueError(attempt, issueTexts(parsed.error).join('; '));
  assertUnique(parsed.data.products, attempt);
  const skipped: string[] = [];
  const products = parsed.data.products.map(({ id, name, issuers, pages, mentions }): ProductPattern => {
    const usable = (pattern: SourcePattern): readonly TextPattern[] => {
      if (pattern.kind === 'usable') return [pattern.pattern];
      const { source, reason } = pattern;
      const text = `Skipping the pattern "${source}" of the product "${id}" in "${file}": ${reason}`;
      skipped.push(visibleText(text, MAX_SKIPPED_TEXT));
      return [];
    };
    return {
      id,
      name,
      issuers: issuers.flatMap((attributes): readonly IssuerPattern[] => {
        const kept = attributes.flatMap(([type, pattern]) => usable(pattern).map((one) => ({ type, pattern: one })));
        // If any attribute is unusable, the whole pattern is dropped, because without that attribute, it would also
        // match other authorities.
        return kept.length === attributes.length ? [kept] : [];
      }),
      pages: pages.flatMap(usable),
      mentions: mentions.flatMap(usable),
    };
  });
  // A product without any usable pattern does not replace the shipped product.
  return { products: products.filter(isRecognisable), skipped };
}

const MAX_LENGTH = 200;

/**
 * The number of instructions determines the run time. At this limit, the slowest tested patterns take 10 ms for a name
 * of 256 characters. A pattern of 200 characters without repetition counts has fewer instructions.
 */
const MAX_INSTRUCTIONS = 500;

/**
 * `value`: the pattern must match the whole value. `anywhere`: the pattern can match any part of the value, ignoring
 * case.
 */
type PatternScope = 'value' | 'anywhere';

type CompiledPattern =
  | { readonly kind: 'usable'; readonly pattern: TextPattern }
  /** A valid regular expression that cannot be used here. */
  | { readonly kind: 'unsupported'; readonly reason: string };

/** @throws {RangeError} with the reason if the text is not a regular expression */
type PatternCompiler = (source: string, scope: PatternScope) => CompiledPattern;

/** Node's own engine is safe for the built-in catalogue, because tests limit each pattern's run time. */
const compileShipped: PatternCompiler = (source, scope) => {
  const compiled = scope === 'value' ? new RegExp(`^(?:${source})$`, 'u') : new RegExp(source, 'iu');
  return {
    kind: 'usable',
    pattern: {
      test: (text) => compiled.test(text),
      find: (text) => compiled.exec(text)?.[0] ?? null,
      isLinear: !/[*+{]/u.test(source),
    },
  };
};

const TOO_LARGE: CompiledPattern = {
  kind: 'unsupported',
  reason: 'its repetitions are too large, as in "a{1,500}"',
};

/** RE2 matches any text in linear time. It is loaded only for the administrator's patterns, because it needs 4 MiB. */
export async function loadLinearCompiler(): Promise<PatternCompiler> {
  const { RE2JS } = await import('re2js');
  return (source, scope) => {
    if (source.length === 0 || source.length > MAX_LENGTH)
      throw unusable(source.slice(0, MAX_LENGTH), `expected 1 to ${String(MAX_LENGTH)} characters`);
    try {
      const compiled = RE2JS.compile(inRe2Syntax(source), scope === 'value' ? 0 : RE2JS.CASE_INSENSITIVE);
      if (compiled.programSize() > MAX_INSTRUCTIONS) return TOO_LARGE;
      const test = (text: string): boolean => (scope === 'value' ? compiled.testExact(text) : compiled.test(text));
      const find = (text: string): string | null => {
        const matcher = compiled.matcher(text);
        return matcher.find() ? matcher.group() : null;
      };
      return { kind: 'usable', pattern: { test, find, isLinear: true } };
    } catch (error) {
      const reason = messageOf(error).replace(/^error parsing regexp: /u, '');
      if (reason.startsWith('invalid repeat count')) return TOO_LARGE;
      if (isRegExp(source))
        return { kind: 'unsupported', reason: `RE2 does not support look-around or back-references: ${reason}` };
      throw unusable(source, reason, error);
    }
  };
}

/** Converts escapes such as `\u00e9` and `\u{e9}` to the RE2 syntax `\x{e9}`. */
function inRe2Syntax(source: string): string {
  return source.replaceAll(
    /\\(?:u\{([\dA-F]+)\}|u([\dA-F]{4})|.)/gisu,
    (escape, long: string | undefined, short: string | undefined) => {
      const number = long ?? short;
      return number === undefined ? escape : `\\x{${number}}`;
    },
  );
}

/** Look-around and back-references are valid here, although RE2 does not support them. */
function isRegExp(source: string): boolean {
  try {
    return new RegExp(source, 'u').unicode;
  } catch {
    return false;
  }
}

function unusable(source: string, problem: string, cause?: unknown): RangeError {
  return new RangeError(`Cannot use the pattern "${source}": ${problem}`, { cause });
}
