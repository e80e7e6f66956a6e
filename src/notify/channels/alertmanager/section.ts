import type * as z from 'zod';
import { filledList, optional, section } from '../../../config/schema/section.ts';
import { webUrl } from '../../../config/schema/urls.ts';

const alertmanager = section({
  urls: filledList(webUrl('http://127.0.0.1:9093'), 'URL').describe(
    'Every member of the cluster; alerts go to all of them, as Prometheus does it.',
  ),
});

export type AlertmanagerConfig = z.output<typeof alertmanager>;

export const alertmanagerSection = optional(alertmanager).describe("Prometheus' Alertmanager.");
