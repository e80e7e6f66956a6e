import type * as z from 'zod';
import { list, section } from '../../../config/schema/rules.ts';
import { webUrl } from '../../../config/schema/urls.ts';

export interface AlertmanagerConfig {
  readonly urls: readonly string[];
}

export function alertmanagerSection(): z.ZodType<AlertmanagerConfig | null> {
  return section({
    urls: list(webUrl('http://127.0.0.1:9093'))
      .min(1, { error: 'expected at least one URL' })
      .describe('Every member of the cluster; alerts go to all of them, as Prometheus does it.'),
  })
    .optional()
    .describe("Prometheus' Alertmanager.")
    .transform((given) => given ?? null);
}
