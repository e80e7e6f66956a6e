import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { catalogueError, parseCatalogue } from '../system/catalogue-file.ts';
import type { ProductPattern } from '../checks/tls-genuine/product.ts';
import { compilePattern } from './product-pattern.ts';

/** The catalogue that comes with the program. */
const SHIPPED_PRODUCTS: string = fileURLToPath(new URL('../../config/inspection-products.yaml', import.meta.url));

const line = z.string().trim().min(1).max(200);

const pattern = (scope: 'value' | 'anywhere'): z.ZodType<RegExp, string> =>
  z.string().transform((source, context) => {
    try {
      return compilePattern(source, scope);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

const issuer = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9.]{0,63}$/u, 'expected an attribute type such as CN, O or OU'),
    pattern('value'),
  )
  .transform((attributes) => Object.entries(attributes).map(([type, regExp]) => ({ type, pattern: regExp })))
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
    source: line.optional(),
  })
  .refine(({ issuers, pages }) => issuers.length + pages.length > 0, 'expected at least one of issuers and pages');

const catalogue = z.strictObject({ products: z.array(product).max(1000) });

/**
 * Reads the shipped catalogue and the files of the administrator. Theirs stand first, so they win; a product of theirs
 * with the id of a shipped one replaces it.
 *
 * @throws {Error} naming the file, the place in it and what was expected
 */
export async function loadProducts(files: readonly string[]): Promise<readonly ProductPattern[]> {
  const own: ProductPattern[] = [];
  for (const file of files) own.push(...(await readProducts(file)));
  const ids = new Set(own.map(({ id }) => id));
  const shipped = await readProducts(SHIPPED_PRODUCTS);
  return [...own, ...shipped.filter(({ id }) => !ids.has(id))];
}

async function readProducts(file: string): Promise<readonly ProductPattern[]> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(
      `Cannot read the products of "${file}": ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return parseProducts(content, file);
}

/** Parses a catalogue. @throws {Error} as `loadProducts` does, with every problem at once @internal */
export function parseProducts(content: string, file: string): readonly ProductPattern[] {
  const attempt = `Cannot use the products of "${file}"`;
  const parsed = catalogue.safeParse(parseCatalogue(content, 'products', file).value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
    );
    throw catalogueError(attempt, problems.join('; '));
  }
  const ids = parsed.data.products.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw catalogueError(attempt, `the id "${twice}" is given twice, expected unique ids`);
  return parsed.data.products.map(({ id, name, issuers, pages }) => ({ id, name, issuers, pages }));
}
