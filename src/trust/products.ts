import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { issueTexts, messageOf } from '../text/message-of.ts';
import { assertUnique, type CatalogueFile, catalogueError, loadCatalogue } from '../system/catalogue-file.ts';
import { findWildcard, matchesWildcard } from '../core/wildcard.ts';
import type { ProductPattern } from '../tls/trust.ts';
import type { TextPattern } from '../core/block-page.ts';

const SHIPPED_PRODUCTS: string = fileURLToPath(new URL('../../config/inspection-products.yaml', import.meta.url));

const line = z.string().trim().min(1).max(200);

function catalogueOf(compile: PatternCompiler) {
  const pattern = (scope: PatternScope): z.ZodType<TextPattern, string> =>
    z.string().transform((source, context) => {
      try {
        return compile(source, scope);
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

/** Like `loadCatalogue`. @throws {Error} that lists all problems in a file with their lines */
export function loadProducts(files: readonly string[]): Promise<readonly ProductPattern[]> {
  const parse = (content: CatalogueFile, file: string): readonly ProductPattern[] =>
    parseProducts(content, file, file === SHIPPED_PRODUCTS ? compileRegExp : compileWildcard);
  return loadCatalogue({ what: 'products', files, shipped: SHIPPED_PRODUCTS, parse });
}

/** @throws {Error} as in `loadProducts` @internal */
export function parseProducts(
  { value, lineOf }: CatalogueFile,
  file: string,
  compile: PatternCompiler,
): readonly ProductPattern[] {
  const attempt = `Cannot use the products in "${file}"`;
  const parsed = catalogueOf(compile).safeParse(value);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path }) => lineOf(path.filter((part) => typeof part !== 'symbol')));
    const problems = issueTexts(parsed.error).map((text, index) => `line ${String(lines[index])}: ${text}`);
    throw catalogueError(attempt, problems.join('; '));
  }
  assertUnique(parsed.data.products, attempt);
  return parsed.data.products.map(({ id, name, issuers, pages, mentions }) => ({
    id,
    name,
    issuers: issuers.map((attributes) => attributes.map(([type, pattern]) => ({ type, pattern }))),
    pages,
    mentions,
  }));
}

/**
 * `value`: the pattern must match the whole value. `anywhere`: the pattern can match any part of the value, ignoring
 * case.
 */
type PatternScope = 'value' | 'anywhere';

/** @throws {Error} with the reason if the text is not a pattern */
type PatternCompiler = (source: string, scope: PatternScope) => TextPattern;

/** For the shipped catalogue. A test shows that its patterns take linear time. @internal */
export const compileRegExp: PatternCompiler = (source, scope) => {
  const compiled = scope === 'value' ? new RegExp(`^(?:${source})$`, 'su') : new RegExp(source, 'iu');
  return {
    test: (text) => compiled.test(text),
    find: (text) => compiled.exec(text)?.[0] ?? null,
    isLinear: !/[*+{]/u.test(source),
  };
};

const MAX_LENGTH = 200;

/** Characters of regular expressions, which version 0.1 used. */
const REGEXP = /[\\[\]{}^$|+?]|\.\*/u;

/** For the administrator's files. @internal */
export const compileWildcard: PatternCompiler = (source, scope) => {
  const refuse = (expected: string): RangeError =>
    new RangeError(`Cannot use the pattern "${source.slice(0, MAX_LENGTH)}": ${expected}`);
  if (source.length > MAX_LENGTH || /^\**$/u.test(source))
    throw refuse(`expected 1 to ${String(MAX_LENGTH)} characters, not only "*"`);
  const [found] = REGEXP.exec(source) ?? [];
  if (found !== undefined)
    throw refuse(
      `expected plain text in which "*" stands for any text, got a regular expression ("${found}"). Write "*" instead ` +
        'of what varies, or one pattern for each alternative',
    );
  const find = (text: string): string | null => findWildcard(source, text);
  return {
    test: (text) => (scope === 'value' ? matchesWildcard(source, text) : find(text) !== null),
    find,
    isLinear: true,
  };
};
