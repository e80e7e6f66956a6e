import { stringify } from 'yaml';
import { notifiedTemplate } from './notified.ts';
import { GROUP } from './parts.ts';
import { polledTemplate } from './polled.ts';

/** UUID that Zabbix's own templates use for this group. */
const GROUP_UUID = 'a571c0d144b14fd4a87a9d9b2aa9fcd6';

/** Returns a file for "Import" in Zabbix 7.0 and later. */
export function renderTemplates(): string {
  const document = {
    zabbix_export: {
      version: '7.0',
      template_groups: [{ uuid: GROUP_UUID, name: GROUP }],
      templates: [polledTemplate(), notifiedTemplate()],
    },
  };
  // Zabbix's own files quote words such as YES, which YAML 1.1 reads as booleans.
  const yaml = stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
  return `# Written by "npm run generate" from tools/generate/zabbix: change it there.\n${yaml}`;
}
