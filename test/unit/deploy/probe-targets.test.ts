import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PROBE_MODULES } from '../../../src/web/sources.ts';
import { chooseProbe } from '../../../src/runtime/probe-on-demand.ts';
import { loadText } from '../../support/config/config-machine.ts';

interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: { readonly module: string; readonly agent: string; readonly site: string };
}

const groups = parse(readFileSync('deploy/prometheus/probe/targets/ftm-probe.yml', 'utf8')) as readonly TargetGroup[];
const asked = groups.flatMap(({ targets, labels: { module } }) => targets.map((target) => ({ target, module })));

describe('the targets that are shipped for /probe', () => {
  it.each(asked)('are allowed by the shipped configuration: $target with $module', async ({ target, module: name }) => {
    const loaded = await loadText(readFileSync('deploy/image/ftm-watch.yaml', 'utf8'));
    const module = PROBE_MODULES.find((known) => known === name);
    expect(loaded.kind).toBe('ok');
    if (loaded.kind !== 'ok' || module === undefined) throw new Error(`There is no module "${name}"`);
    expect(chooseProbe(loaded.config, target, module).kind).toMatch(/^(?:path|name)$/u);
    expect(chooseProbe(loaded.config, 'elsewhere.example.org:443', module).kind).toBe('forbidden');
  });

  it('are asked of the agent that is scraped, for its site', () => {
    const [scraped] = parse(readFileSync('deploy/prometheus/targets/ftm-watch.yml', 'utf8')) as readonly Pick<
      TargetGroup,
      'targets' | 'labels'
    >[];
    expect(groups.map(({ labels: { agent, site } }) => [agent, site])).toEqual(
      groups.map(() => [scraped?.targets[0], scraped?.labels.site]),
    );
  });
});
