import { describe, expect, test } from 'vitest';
import type { PreconditionState } from '../../../../src/engine/model.ts';
import { CHECKS, type CauseId, type PreconditionId } from '../../../../src/checks/registry.ts';
import { routeMapOf } from '../../../../src/web/page/route-map.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';

const NAMES = ['FortiAuthenticator', 'Resolver', 'Firewall', 'Internet', 'Licence server'];

function draw(causes: readonly CauseId[], states: Partial<Record<PreconditionId, PreconditionState>> = {}) {
  const { preconditions } = diagnosisOf(
    0,
    causes.map((id) => causeOf(id)),
    states,
  );
  const map = routeMapOf(preconditions);
  return {
    states: map.stops.map(({ state }) => state),
    lines: map.stops.slice(0, -1).map(({ leadsOn }) => leadsOn),
    map,
  };
}

describe('routeMapOf()', () => {
  test('has a place for every precondition but ftm-watch itself, and one only', () => {
    const { map } = draw([]);
    const placed = [...map.stops, ...map.branches].flatMap(({ preconditions }) => preconditions.map(({ id }) => id));

    expect(map.stops.map(({ name }) => name)).toEqual(NAMES);
    const mapped = CHECKS.filter(({ place }) => place.kind !== 'agent').map(({ id }) => id);
    expect(placed.toSorted()).toEqual(mapped.toSorted());
  });

  test.each<[string, readonly CauseId[], string, string]>([
    ['nothing', [], 'ok ok ok ok ok', 'open open open open'],
    ['the resolver', ['resolver-unreachable'], 'ok broken blocked ok blocked', 'open cut beyond beyond'],
    ['the port', ['egress-blocked'], 'ok ok broken ok blocked', 'open open cut beyond'],
    ['inspection', ['tls-intercepted'], 'ok ok broken ok blocked', 'open open cut beyond'],
    ['the policy', ['policy-inspects-traffic'], 'ok ok broken ok ok', 'open open cut beyond'],
    ['the internet', ['internet-unreachable'], 'ok ok blocked broken blocked', 'open unproven unproven cut'],
    ['the server', ['license-server-down'], 'ok ok ok ok broken', 'open open open open'],
    ['the API of the appliance', ['appliance-unreachable'], 'broken ok ok ok ok', 'unproven open open open'],
    ['mail, which is no part of the way', ['mail-unreachable'], 'ok ok ok ok ok', 'open open open open'],
  ])('shows the break of %s', (_, causes, states, lines) => {
    const drawn = draw(causes);

    expect([drawn.states.join(' '), drawn.lines.join(' ')]).toEqual([states, lines]);
  });

  test('shows the first of two breaks', () => {
    const drawn = draw(['resolver-unreachable', 'license-server-down']);

    expect(drawn.lines).toEqual(['open', 'cut', 'beyond', 'beyond']);
  });

  test('claims nothing about a stop that nobody looked at', () => {
    const drawn = draw([], {
      appliance: 'not-configured',
      'token-pool': 'not-configured',
      'name-resolution': 'unknown',
    });

    expect(drawn.states.slice(0, 2)).toEqual(['not-configured', 'unknown']);
    expect(drawn.lines).toEqual(['unproven', 'unproven', 'open', 'open']);
  });

  test('lets what is not configured hide nothing, and what is unknown hide no warning', () => {
    expect(draw([], { 'firewall-policy': 'not-configured' }).states[2]).toBe('ok');
    expect(draw([], { reachability: 'warning', 'firewall-policy': 'unknown' }).states[2]).toBe('unknown');
    expect(draw([], { reachability: 'warning', 'firewall-policy': 'not-configured' }).states[2]).toBe('warning');
  });
});
