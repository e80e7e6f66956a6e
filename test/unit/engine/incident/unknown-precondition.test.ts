import { describe, expect, it } from 'vitest';
import type { PreconditionState, Cause } from '../../../../src/engine/model.ts';
import type { PreconditionId } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, timeline, type Timeline } from '../../../support/store/incident-timeline.ts';

type States = Partial<Record<PreconditionId, PreconditionState>>;

/** Runs rounds with these states, one every 30 seconds. */
function last(line: Timeline, minutes: number, states: States, causes: readonly Cause[] = []): Timeline {
  for (let round = 0; round < minutes * 2; round += 1) line.round(causes, states).wait(30 * SECOND);
  return line;
}

const UNKNOWN: States = { 'tls-genuine': 'unknown' };

describe('a precondition that stays unknown', () => {
  it('is a warning of its own after 15 minutes, told once', () => {
    const line = last(timeline(), 15, UNKNOWN);
    expect(line.heard()).toEqual([]);
    expect(last(line, 60, UNKNOWN).heard()).toEqual(['firing precondition-unknown']);
    expect(line.told[0]).toMatchObject({
      incident: { cause: { severity: 'warning', subject: 'tls-genuine', precondition: 'tls-genuine' } },
    });
    expect(last(line, 12 * 60, UNKNOWN).heard()).toEqual([]);
    expect(last(line, 2, {}).heard()).toEqual(['resolved precondition-unknown']);
  });

  it('takes over what was open there, since nobody knows whether it lasts', () => {
    const [intercepted, other] = [causeOf('tls-intercepted'), causeOf('tls-blocked', { subject: 'push.example:443' })];
    const line = last(timeline(), 2, {}, [intercepted, other]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'firing tls-blocked']);
    expect(last(line, 15, UNKNOWN).heard()).toEqual([]);
    expect(last(line, 60, UNKNOWN).heard()).toEqual(['changed precondition-unknown']);
    const [kept, gone] = line.state.incidents;
    expect(gone).toMatchObject({ status: 'closed', mergedInto: kept?.id });
    expect(kept?.formerCauses).toMatchObject([{ id: 'tls-intercepted' }, { id: 'tls-blocked' }]);
    expect(last(line, 2, {}).heard()).toEqual(['resolved precondition-unknown']);
  });

  it('goes on as what it was before when that is seen again', () => {
    const line = last(last(timeline(), 2, {}, [causeOf('tls-intercepted')]), 20, UNKNOWN);
    line.heard();
    expect(last(line, 2, {}, [causeOf('tls-intercepted')]).heard()).toEqual(['changed tls-intercepted']);
    expect(line.state.incidents).toMatchObject([{ status: 'open', cause: { id: 'tls-intercepted' } }]);
    expect(last(line, 20, UNKNOWN).heard()).toEqual(['changed precondition-unknown']);
  });

  it('says why, and what would settle it', () => {
    const line = timeline();
    for (let round = 0; round < 40; round += 1) {
      const diagnosis = diagnosisOf(line.now, [], UNKNOWN);
      const finding = {
        rule: 'r',
        subject: 'host:443',
        claim: 'The certificate was issued by Contoso.',
        expected: 'a trusted issuer',
        actual: 'CN=Contoso',
        level: 'unknown',
        suggests: null,
      } as const;
      const advice = { summary: '', remedy: ['The certificate of Contoso Root'] };
      const preconditions = diagnosis.preconditions.map((status) =>
        status.id === 'tls-genuine' ? { ...status, findings: [{ ...finding, advice }] } : status,
      );
      line.input({ kind: 'diagnosis', diagnosis: { ...diagnosis, preconditions }, fresh: null }).wait(30 * SECOND);
    }
    expect(line.state.incidents[0]?.cause).toMatchObject({
      evidence: ['host:443: The certificate was issued by Contoso. Expected: a trusted issuer.'],
      remedy: expect.arrayContaining(['The certificate of Contoso Root']),
    });
  });

  it('is nothing when it is known in between', () => {
    const line = timeline();
    for (let index = 0; index < 10; index += 1) last(last(line, 14, UNKNOWN), 0.5, {});
    expect(line.heard()).toEqual([]);
  });

  it('goes on over a restart, but not over a time in which nothing was looked at', () => {
    const line = last(timeline(), 10, UNKNOWN);
    line.state = JSON.parse(JSON.stringify(line.state)) as Timeline['state'];
    expect(last(line.wait(5 * MINUTE), 2, UNKNOWN).heard()).toEqual(['firing precondition-unknown']);
    expect(last(last(timeline(), 10, UNKNOWN).wait(3 * HOUR), 5, UNKNOWN).heard()).toEqual([]);
  });

  it('is not begun earlier by a clock that was set', () => {
    expect(last(last(timeline(), 5, UNKNOWN).wait(-HOUR), 5, UNKNOWN).heard()).toEqual([]);
  });

  it.each<[string, PreconditionId, Cause]>([
    ['of its own', 'license-assignment', causeOf('license-on-peer', { subject: 'EFTM1' })],
    ['of the unit that it needs', 'license-assignment', causeOf('appliance-unreachable', { subject: 'fac-1' })],
    ['of the way out', 'clock', causeOf('internet-unreachable', { subject: 'internet' })],
    ['that explains it', 'firewall-policy', causeOf('egress-blocked')],
  ])('is not told while an incident %s is open', (_, id, cause) => {
    const line = last(timeline(), 2, {}, [cause]);
    line.heard();
    expect(last(line, 40, { [id]: 'unknown' }, [cause]).heard()).toEqual([]);
  });

  it('is told all the same when the incident that is open is about something else', () => {
    const mail = causeOf('mail-unreachable', { subject: 'mail:25', severity: 'warning' });
    expect(last(timeline(), 17, UNKNOWN, [mail]).heard()).toEqual([
      'firing mail-unreachable',
      'firing precondition-unknown',
    ]);
  });

  it('is told of the deepest alone', () => {
    const line = last(timeline(), 17, {
      reachability: 'unknown',
      'tls-genuine': 'unknown',
      'license-server': 'unknown',
    });
    expect(line.heard()).toEqual(['firing precondition-unknown']);
    expect(line.state.incidents).toMatchObject([{ cause: { subject: 'reachability' } }]);
  });

  it('is not told of polling, which waits for its first line', () => {
    expect(last(timeline(), 60, { polling: 'unknown' }).heard()).toEqual([]);
  });

  it('stays open, unsaid, while something deeper is broken', () => {
    const line = last(timeline(), 17, UNKNOWN);
    line.heard();
    const blocked = causeOf('egress-blocked');
    expect(last(line, 5, { 'tls-genuine': 'blocked' }, [blocked]).heard()).toEqual(['firing egress-blocked']);
    expect(last(line, 2, {}).heard()).toEqual(['resolved egress-blocked', 'resolved precondition-unknown']);
  });
});
