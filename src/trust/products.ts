import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { issueTexts } from '../text/issue-text.ts';
import { messageOf } from '../text/message-of.ts';
import { assertUnique, type CatalogueFile, catalogueError, loadCatalogue } from '../system/catalogue-file.ts';
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
      context.addIssue({ code: 'custom', message: messageOf(error) });
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
    mentions: z.array(pattern('anywhere')).max(50).default([]),
    source: line.optional(),
  })
  .refine(
    ({ issuers, pages, mentions }) => issuers.length + pages.length + mentions.length > 0,
    'expected at least one of issuers, pages and mentions',
  );

const catalogue = z.strictObject({ products: z.array(product).max(1000) });

/** As `loadCatalogue`. @throws {Error} with every problem of a file at once */
export function loadProducts(files: readonly string[]): Promise<readonly ProductPattern[]> {
  return loadCatalogue({ what: 'products', files, shipped: SHIPPED_PRODUCTS, parse: parseProducts });
}

/** @throws {Error} as `loadProducts` does @internal */
export function parseProducts({ value }: CatalogueFile, file: string): readonly ProductPattern[] {
  const attempt = `Cannot use the products of "${file}"`;
  const parsed = catalogue.safeParse(value);
  if (!parsed.success) throw catalogueError(attempt, issueTexts(parsed.error).join('; '));
  assertUnique(parsed.data.products, attempt);
  return parsed.data.products.map(({ id, name, issuers, pages, mentions }) => ({ id, name, issuers, pages, mentions }));
}
